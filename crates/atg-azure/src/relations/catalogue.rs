//! The curated catalogue: 862 rows of data, parsed once and indexed by source type.

use std::collections::HashMap;
use std::sync::LazyLock;

use atg_models::ArmType;
use atg_models::graph::{AliasKind, Relation};
use serde::Deserialize;

use crate::relations::path::{Path, PathError};
use crate::relations::trie::Trie;

/// The catalogue as it is embedded.
pub(crate) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the data is embedded; a test proves that it parses")]
    Catalogue::parse(include_str!("../../data/relationships.json")).expect("the embedded catalogue parses")
});

/// What is wrong with the catalogue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogueError {
    /// Not the JSON that is expected.
    #[error("the catalogue is not a list of rows")]
    Json(#[from] serde_json::Error),
    /// A path that does not parse.
    #[error("row {row}")]
    Path {
        /// The row's id.
        row: String,
        /// What is wrong.
        source: PathError,
    },
    /// A relation that does not exist.
    #[error("row {row}: no relation {edge}")]
    Relation {
        /// The row's id.
        row: String,
        /// Its edge.
        edge: String,
    },
}

/// Whose bodies a row reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowSource {
    /// Every body.
    Any,
    /// Bodies of types that end so, lower case.
    Suffix(String),
    /// Bodies of this type.
    Type(ArmType),
}

/// What a row's value names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Anything.
    Any,
    /// A region.
    Region,
    /// A tag.
    Tag,
    /// A tenant.
    Tenant,
    /// A resource type.
    ResourceType,
    /// An outside token issuer.
    ExternalIssuer,
    /// A thing of this type (`microsoft.graph/users` for directory objects).
    Type(ArmType),
}

/// How a row's value names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    /// An ARM id.
    ArmId,
    /// A directory object's id.
    PrincipalId,
    /// An application's id.
    AppId,
    /// A host name, alone or in an address.
    Fqdn,
    /// A name that is unique in what holds both.
    NameInParent,
}

/// What stands at the row's source end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// What was read.
    Itself,
    /// Its nearest parent.
    Parent,
    /// What an extension resource stands on.
    Scope,
    /// The root of a type of several levels.
    Profile,
    /// What another path of the body names.
    At(Path),
}

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its name in the catalogue.
    pub(crate) id: String,
    /// The relation it states.
    pub(crate) relation: Relation,
    /// Whose bodies it reads.
    pub(crate) source: RowSource,
    /// Where.
    pub(crate) path: Path,
    /// What stands there.
    pub(crate) targets: Vec<Target>,
    /// In which form.
    pub(crate) form: Form,
    /// Whether the edge starts at the value found.
    pub(crate) from_found: bool,
    /// The other end.
    pub(crate) anchor: Anchor,
    /// The property of the target that the value equals; `None` for its id.
    pub(crate) matches: Option<Path>,
    /// The alias by which a value that is no id is looked up.
    pub(crate) alias: AliasKind,
    /// Whether it only says what containment says of every id.
    pub(crate) is_containment: bool,
}

impl Row {
    /// Whether it is for one sort of body, so that it beats a row for every body.
    pub(crate) const fn is_particular(&self) -> bool {
        match self.source {
            RowSource::Any => false,
            RowSource::Suffix(_) | RowSource::Type(_) => true,
        }
    }

    /// The only target, if there is one and it is a type.
    pub(crate) fn sole_type(&self) -> Option<&ArmType> {
        match self.targets.as_slice() {
            [Target::Type(type_)] => Some(type_),
            _ => None,
        }
    }

    /// The target types.
    pub(crate) fn types(&self) -> impl Iterator<Item = &ArmType> {
        self.targets.iter().filter_map(|target| match target {
            Target::Type(type_) => Some(type_),
            Target::Any
            | Target::Region
            | Target::Tag
            | Target::Tenant
            | Target::ResourceType
            | Target::ExternalIssuer => None,
        })
    }
}

/// All rows, indexed.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// In the order of the file.
    pub(crate) rows: Vec<Row>,
    any: Trie,
    by_suffix: Vec<(String, Trie)>,
    by_type: HashMap<String, Trie>,
}

impl Catalogue {
    /// Parses and indexes the file.
    pub(crate) fn parse(text: &str) -> Result<Self, CatalogueError> {
        let raw: Vec<RawRow> = serde_json::from_str(text)?;
        let rows = raw.into_iter().map(RawRow::checked).collect::<Result<Vec<_>, _>>()?;
        let mut any = Trie::default();
        let mut suffixes: HashMap<String, Trie> = HashMap::new();
        let mut by_type: HashMap<String, Trie> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            if row.is_containment {
                continue;
            }
            match &row.source {
                RowSource::Any => any.insert(&row.path, at),
                RowSource::Suffix(suffix) => suffixes.entry(suffix.clone()).or_default().insert(&row.path, at),
                RowSource::Type(type_) => {
                    by_type
                        .entry(type_.as_str().to_owned())
                        .or_default()
                        .insert(&row.path, at);
                }
            }
        }
        Ok(Self {
            rows,
            any,
            by_suffix: suffixes.into_iter().collect(),
            by_type,
        })
    }

    /// The rows for every body.
    pub(crate) const fn any(&self) -> &Trie {
        &self.any
    }

    /// The rows for bodies of this type in particular.
    pub(crate) fn of_type(&self, type_: &str) -> impl Iterator<Item = &Trie> {
        let suffixed = self.by_suffix.iter().filter(|(suffix, _)| type_.ends_with(suffix));
        self.by_type
            .get(type_)
            .into_iter()
            .chain(suffixed.map(|(_, trie)| trie))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct RawRow {
    id: String,
    edge: String,
    source_type: String,
    source_suffix: Option<String>,
    path: String,
    target: OneOrMany,
    target_form: Form,
    direction: String,
    anchor: Option<String>,
    #[serde(rename = "match")]
    matches: Option<String>,
}

impl RawRow {
    fn checked(self) -> Result<Row, CatalogueError> {
        let path = |text: &str| {
            Path::parse(text).map_err(|source| CatalogueError::Path {
                row: self.id.clone(),
                source,
            })
        };
        let anchor = match self.anchor.as_deref() {
            None => Anchor::Itself,
            Some("parent") => Anchor::Parent,
            Some("scope") => Anchor::Scope,
            Some("profile") => Anchor::Profile,
            Some(text) => Anchor::At(path(text)?),
        };
        let matches = match self.matches.as_deref() {
            None | Some("id") => None,
            Some(text) => Some(path(text)?),
        };
        let path = path(&self.path)?;
        let source = match self.source_suffix {
            Some(suffix) => RowSource::Suffix(suffix.to_lowercase()),
            None if self.source_type == "any" => RowSource::Any,
            None => RowSource::Type(ArmType::new(&self.source_type)),
        };
        let names = match self.target {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names,
        };
        let relation = Relation::from_name(&self.edge).ok_or_else(|| CatalogueError::Relation {
            row: self.id.clone(),
            edge: self.edge.clone(),
        })?;
        let targets: Vec<_> = names.iter().map(|name| target(name)).collect();
        Ok(Row {
            alias: alias_kind(self.target_form, matches.as_ref(), &targets),
            is_containment: relation == Relation::Contains && path.text == "id",
            id: self.id,
            relation,
            source,
            path,
            targets,
            form: self.target_form,
            from_found: self.direction == "target->source",
            anchor,
            matches,
        })
    }
}

fn target(name: &str) -> Target {
    match name {
        "any" => Target::Any,
        "Region" => Target::Region,
        "Tag" => Target::Tag,
        "Tenant" => Target::Tenant,
        "ResourceType" => Target::ResourceType,
        "ExternalIssuer" => Target::ExternalIssuer,
        type_ => Target::Type(ArmType::new(type_)),
    }
}

/// Host names are unique in the world, so all rows of that form share a kind; issuers are compared
/// as whole addresses; everything else by property and target types.
fn alias_kind(form: Form, matches: Option<&Path>, targets: &[Target]) -> AliasKind {
    if targets.contains(&Target::ExternalIssuer) {
        return AliasKind("issuer".to_owned());
    }
    if form == Form::Fqdn {
        return AliasKind("host".to_owned());
    }
    let mut types: Vec<_> = targets
        .iter()
        .filter_map(|target| match target {
            Target::Type(type_) => Some(type_.as_str()),
            Target::Any
            | Target::Region
            | Target::Tag
            | Target::Tenant
            | Target::ResourceType
            | Target::ExternalIssuer => None,
        })
        .collect();
    types.sort_unstable();
    let property = matches.map_or("id", |path| path.text.as_str()).to_lowercase();
    AliasKind(format!("{property}@{}", types.join(",")))
}
