//! From ARM bodies to the target's resources: typed where a row applies, generic otherwise, or a reason.

pub(crate) mod azapi;
mod coverage;
pub(crate) mod eval;
pub(crate) mod functions;
pub(crate) mod place;
pub(crate) mod typed;

use atg_models::ArmId;
use serde_json::{Value as Json, json};

use crate::rows::expr::Path;
use crate::rows::{Row, Rows};
use crate::select::Resource;
use crate::tables::Tables;
use crate::value::{Block, Val};
use crate::{IacError, ProviderVersion, Reason};
use eval::Scope;
use place::Notes;

/// One block of the code before it has a name.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// The resource it comes from, by its place in the list.
    pub(crate) of: usize,
    /// The target's type.
    pub(crate) target: String,
    /// Whether it is the resource itself, not an association of it.
    pub(crate) main: bool,
    /// The attribute that gives the ARM id.
    pub(crate) id_attr: String,
    /// Which one, when a row gives several.
    pub(crate) part: usize,
    /// Attributes and blocks.
    pub(crate) block: Block,
    /// What to know.
    pub(crate) notes: Notes,
    /// The import id, when it is known.
    pub(crate) import: Val,
    /// Paths of the body that are not in the block.
    pub(crate) left_out: Vec<String>,
}

/// What translation looks up, each thing once.
pub(crate) struct Books {
    rows: &'static Rows,
    tables: Tables,
    coverage: coverage::Coverage,
}

impl Books {
    /// The embedded tables.
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// An id with its segments spelled as the provider wants them.
    pub(crate) fn spelled(&self, id: &ArmId) -> Result<String, IacError> {
        spelled_id(id, self.rows, &self.tables)
    }

    /// The resource provider of a resource, as ARM spells it.
    pub(crate) fn namespace(&self, resource: &Resource) -> Result<Option<String>, IacError> {
        let published = self.tables.arm_type(&resource.type_)?.map(|facts| facts.type_.clone());
        let type_ = published.or_else(|| resource.id.as_ref().map(azapi::spelled_type));
        Ok(type_.and_then(|type_| Some(type_.split_once('/')?.0.to_owned())))
    }

    pub(crate) fn open(version: ProviderVersion) -> Result<Self, IacError> {
        Ok(Self {
            rows: Rows::embedded(version)?,
            tables: Tables::new(version),
            coverage: coverage::Coverage::default(),
        })
    }
}

/// What became of a resource.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Blocks of the code; the first is the resource itself.
    Units(Vec<Unit>),
    /// It stands in a block of another resource, when that becomes the wanted type; otherwise the blocks.
    PartOf(Holder, Vec<Unit>),
    /// Not written.
    Refused(Reason, String),
}

/// Whose block a resource stands in.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    /// The holder's canonical id.
    pub(crate) key: String,
    /// The provider type that it must be; any type without.
    pub(crate) target: Option<String>,
    /// The holder's attribute that gives the id of what it holds.
    pub(crate) attr: Option<String>,
}

/// Translates the resource at `of`.
pub(crate) fn translate(resource: &Resource, of: usize, books: &Books) -> Result<Outcome, IacError> {
    let rows = books.rows;
    let Some(id) = &resource.id else {
        return Ok(Outcome::Refused(Reason::UnreadableId, "the id is no ARM id".to_owned()));
    };
    let Some(body) = &resource.body else {
        return Ok(Outcome::Refused(Reason::NoBody, "the graph holds no body".to_owned()));
    };
    let scope = Scope::new(resource, body);
    if let Some((reason, detail)) = refused_by_row(resource, books) {
        return Ok(Outcome::Refused(reason, detail));
    }
    let applies = |row: &&Row| row.when.as_ref().is_none_or(|condition| scope.holds(condition));
    let Some(row) = rows.main(&resource.type_).iter().find(applies) else {
        return Ok(match azapi::translate(resource, id, body, &books.tables)? {
            Ok(block) => Outcome::Units(vec![Unit {
                of,
                target: "azapi_resource".to_owned(),
                main: true,
                id_attr: "id".to_owned(),
                part: 0,
                block,
                notes: Vec::new(),
                import: Val::text(id.as_str()),
                left_out: Vec::new(),
            }]),
            Err((reason, detail)) => Outcome::Refused(reason, detail),
        });
    };
    let mut units = vec![unit(row, &scope, (of, 0), true, books)?];
    for row in rows.extra(&resource.type_) {
        for (part, scope) in each_scope(row, &scope).iter().enumerate() {
            if row.when.as_ref().is_none_or(|condition| scope.holds(condition)) {
                units.push(unit(row, scope, (of, part), false, books)?);
            }
        }
    }
    Ok(match holder(row, &scope) {
        Some(holder) => Outcome::PartOf(holder, units),
        None => Outcome::Units(units),
    })
}

/// Why the rows say that no code is written for a resource, if they do.
pub(crate) fn refused_by_row(resource: &Resource, books: &Books) -> Option<(Reason, String)> {
    let scope = Scope::new(resource, resource.body.as_ref()?);
    let mut skips = books.rows.skip(&resource.type_).iter();
    let skip = skips.find(|skip| skip.when.as_ref().is_none_or(|condition| scope.holds(condition)))?;
    Some((skip.reason, skip.detail.clone()))
}

fn holder(row: &Row, scope: &Scope<'_>) -> Option<Holder> {
    let key = |id: ArmId| id.node_id().as_str().to_owned();
    if let Some(expr) = &row.held_by {
        let id = scope.value(expr).as_text()?.parse().ok()?;
        return Some(Holder {
            key: key(id),
            target: None,
            attr: row.held_as.clone(),
        });
    }
    let target = row.part_of.clone()?;
    let parent = scope.resource.id.as_ref()?.parent()?;
    Some(Holder {
        key: key(parent),
        target: Some(target),
        attr: None,
    })
}

fn each_scope<'a>(row: &Row, scope: &Scope<'a>) -> Vec<Scope<'a>> {
    let mut scopes = vec![scope.clone()];
    for path in &row.each {
        scopes = scopes
            .iter()
            .flat_map(|scope| {
                let elements = scope.elements_at(path);
                elements.into_iter().map(|(element, key)| scope.enter(element, key))
            })
            .collect();
    }
    scopes
}

fn unit(row: &Row, scope: &Scope<'_>, (of, part): (usize, usize), main: bool, books: &Books) -> Result<Unit, IacError> {
    let Books { rows, tables, coverage } = books;
    let schema = tables.schema(&row.azurerm)?.ok_or_else(|| IacError::Table {
        table: "azurerm rows",
        detail: format!("the provider has no {}", row.azurerm),
    })?;
    let mut notes = Notes::new();
    let mut block = typed::build(&row.body, scope, "", &mut notes);
    if main {
        typed::add_common(&mut block, row, &schema.block, scope);
    }
    let import = match &row.import {
        Some(expr) => scope.value(expr),
        None if main => Val::text(&scope.resource.display_id),
        None => Val::Null,
    };
    let import = spelled(&import, rows, tables)?;
    let left_out = if main {
        coverage.left_out(row, &scope.resource.type_, scope.body, rows, tables)?
    } else {
        Vec::new()
    };
    Ok(Unit {
        of,
        target: row.azurerm.clone(),
        id_attr: row.id_attr.clone().unwrap_or_else(|| "id".to_owned()),
        main,
        part,
        block: place::place(block, &schema.block, "", &mut notes),
        notes,
        import,
        left_out,
    })
}

/// Import ids with their segments spelled as the provider's importer wants them; several are joined by `|`.
fn spelled(value: &Val, rows: &Rows, tables: &Tables) -> Result<Val, IacError> {
    let Some(text) = value.as_text() else {
        return Ok(Val::Null);
    };
    let mut out = Vec::new();
    for part in text.split('|') {
        out.push(match part.parse::<ArmId>() {
            Ok(id) => spelled_id(&id, rows, tables)?,
            Err(_) => part.to_owned(),
        });
    }
    Ok(Val::text(&out.join("|")))
}

fn spelled_id(id: &ArmId, rows: &Rows, tables: &Tables) -> Result<String, IacError> {
    let mut keys: Vec<String> = ["subscriptions", "resourceGroups", "providers"]
        .map(str::to_owned)
        .into();
    for id in std::iter::once(id.clone()).chain(id.ancestors()) {
        for row in rows.main(id.arm_type().as_str()) {
            let schema = tables.schema(&row.azurerm)?;
            let specs = schema.iter().flat_map(|schema| &schema.import_specs);
            keys.extend(specs.flat_map(|spec| spec.split('/')).map(str::to_owned));
        }
    }
    let mut out = String::new();
    let mut in_provider = false;
    let mut is_key = true;
    for segment in id.as_str().split('/').skip(1) {
        let namespace = in_provider;
        in_provider = is_key && segment.eq_ignore_ascii_case("providers");
        let known = keys
            .iter()
            .find(|key| (is_key || namespace) && key.eq_ignore_ascii_case(segment));
        out.push('/');
        out.push_str(known.map_or(segment, String::as_str));
        // Keys and names take turns; behind `providers` stands a namespace and then a key again.
        is_key = namespace || (!is_key && !in_provider);
    }
    Ok(out)
}

/// The children that stand in a body and are resources of their own.
pub(crate) fn inline_children(resource: &Resource, books: &Books) -> Vec<Resource> {
    let (Some(id), Some(body)) = (&resource.id, &resource.body) else {
        return Vec::new();
    };
    let scope = Scope::new(resource, body);
    let inline = books.rows.main(&resource.type_).iter().flat_map(|row| &row.inline);
    inline
        .flat_map(|(path, type_): &(Path, String)| {
            let elements = scope.elements_at(path).into_iter();
            elements.filter_map(|(element, _)| child(resource, id, type_, element))
        })
        .collect()
}

fn child(parent: &Resource, id: &ArmId, type_: &str, element: &Json) -> Option<Resource> {
    let name = eval::member(element, "name")?.as_str()?;
    let last_type = type_.rsplit('/').next()?;
    let child_id = id.child(last_type, name);
    Some(Resource {
        key: child_id.node_id().as_str().to_owned(),
        display_id: child_id.as_str().to_owned(),
        source_id: format!("{}/{last_type}/{name}", parent.source_id),
        id: Some(child_id),
        type_: type_.to_owned(),
        name: name.to_owned(),
        api_version: parent.api_version.clone(),
        body: Some(match element {
            Json::Object(_) => element.clone(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => json!({}),
        }),
        counted: false,
        identities: Vec::new(),
    })
}
