//! Ids and object ids in bodies become what they name: a resource of the output, a parameter, or the same
//! everywhere. The holder of each resource is found here too.

use std::collections::BTreeMap;

use atg_models::ArmId;
use atg_models::arm_id::{RESOURCE_GROUP_TYPE, SUBSCRIPTION_TYPE};

use crate::IacError;
use crate::adapt::guids::{holds_stand_in, pieces};
use crate::names;
use crate::reference::unmapped_variable;
use crate::select::{Context, Resource};
use crate::tables::Tables;
use crate::template::ids;
use crate::template::item::Item;
use crate::template::limits::{EXPRESSION_MAX_CHARS, EXPRESSION_PARAMETER_CHARS};
use crate::template::value::{Attr, Expr, Key, Param, ParamKind, Piece, Target, Value};

/// Characters of a GUID with its hyphens.
const GUID_CHARS: usize = 36;

/// How often `check` is asked.
const ITEMS_BETWEEN_CHECKS: usize = 200;

/// Resolves all items.
pub(crate) fn resolve(
    items: &mut [Item],
    params: &mut BTreeMap<String, Param>,
    (resources, context): (&[Resource], &Context),
    tables: &Tables,
    check: &dyn Fn() -> Result<(), IacError>,
) -> Result<(), IacError> {
    let by_key: BTreeMap<String, (usize, ArmId)> = items
        .iter()
        .enumerate()
        .map(|(at, item)| (item.key.clone(), (at, item.id.clone())))
        .collect();
    let mut identities = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        let own = resources.get(item.of).map_or(&[][..], |resource| &resource.identities);
        for (id, attr) in own {
            identities.insert(id.clone(), (at, Attr::named(attr)));
        }
    }
    for (at, item) in items.iter_mut().enumerate() {
        if at % ITEMS_BETWEEN_CHECKS == 0 {
            check()?;
        }
        let found = |above: ArmId| by_key.get(above.node_id().as_str()).map(|(at, _)| *at);
        item.holder = item.id.ancestors().find_map(found);
        let mut all = item.id.ancestors();
        item.group = all
            .find(|above| above.arm_type().as_str() == RESOURCE_GROUP_TYPE)
            .and_then(found);
        let mut links = Links {
            own: (at, &item.id.clone()),
            by_key: &by_key,
            identities: &identities,
            context,
            tables,
            params,
            found: Vec::new(),
        };
        for (key, value) in &mut item.members {
            if let Key::Text(name) = key {
                links.value(value, name)?;
            }
        }
        for found in links.found {
            match found {
                Found::Uses(other) => {
                    item.uses.insert(other);
                }
                Found::Param(key) => {
                    item.params.insert(key);
                }
            }
        }
        let holder = item.holder;
        item.uses.retain(|other| Some(*other) != holder);
    }
    Ok(())
}

enum Found {
    Uses(usize),
    Param(String),
}

struct Links<'a> {
    own: (usize, &'a ArmId),
    by_key: &'a BTreeMap<String, (usize, ArmId)>,
    identities: &'a BTreeMap<String, (usize, Attr)>,
    context: &'a Context,
    tables: &'a Tables,
    params: &'a mut BTreeMap<String, Param>,
    found: Vec<Found>,
}

impl Links<'_> {
    fn value(&mut self, value: &mut Value, path: &str) -> Result<(), IacError> {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Expr(_) => {}
            Value::Text(text) => {
                if let Some(expr) = self.text(text, path)? {
                    *value = Value::Expr(expr);
                }
            }
            Value::List(items) => {
                for item in items {
                    self.value(item, path)?;
                }
            }
            Value::Map(members) => {
                for (key, member) in members {
                    let mut below = path.to_owned();
                    if let Key::Text(name) = key {
                        below = format!("{path}.{name}");
                        if name.starts_with('/')
                            && let Some(expr) = self.id(name)?
                        {
                            *key = Key::Expr(expr);
                        }
                    }
                    self.value(member, &below)?;
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str, path: &str) -> Result<Option<Expr>, IacError> {
        if text.starts_with('/')
            && let Some(expr) = self.id(text)?
        {
            return Ok(Some(expr));
        }
        if text.len() != GUID_CHARS || path.ends_with("name") {
            return Ok(self.joined(text));
        }
        let lower = text.to_lowercase();
        if lower == self.context.tenant_id {
            return Ok(Some(self.outside(
                "tenant_id",
                "tenant_id".to_owned(),
                "The tenant's id".to_owned(),
                text,
            )));
        }
        // Only in properties may a template wait for what another resource says about itself.
        if let Some((at, attr)) = self.identities.get(&lower)
            && *at != self.own.0
            && path.starts_with("properties")
        {
            self.found.push(Found::Uses(*at));
            return Ok(Some(Expr::Attr(*at, *attr, text.to_owned())));
        }
        if let Some((key, variable)) = unmapped_variable(self.context, &lower) {
            return Ok(Some(self.asked(key, variable.name, variable.description)));
        }
        let Some(words) = self.context.principals.get(&lower) else {
            return Ok(None);
        };
        let name = format!("principal_{}", names::identifier(words));
        let description = format!("Object id of the {words}");
        Ok(Some(self.outside(
            &format!("principal:{lower}"),
            name,
            description,
            text,
        )))
    }

    /// A text that holds stand-ins, each of which is asked for. One that no expression can hold stays as it is.
    fn joined(&mut self, text: &str) -> Option<Expr> {
        if !holds_stand_in(text) {
            return None;
        }
        let cut = pieces(text);
        // Quotes, braces and line breaks are written as two characters.
        let twice = text.chars().filter(|c| "'{}\n\r\t\\".contains(*c)).count();
        if text.chars().count() + twice + cut.len() * EXPRESSION_PARAMETER_CHARS > EXPRESSION_MAX_CHARS {
            return None;
        }
        let mut joined = Vec::with_capacity(cut.len());
        for piece in cut {
            joined.push(match unmapped_variable(self.context, piece) {
                Some((key, variable)) => {
                    self.ask(&key, variable.name, variable.description);
                    Piece::Param(key)
                }
                None => Piece::Text(piece.to_owned()),
            });
        }
        match &joined[..] {
            [Piece::Param(key)] => Some(Expr::Param(key.clone())),
            pieces if pieces.iter().any(|piece| matches!(piece, Piece::Param(_))) => Some(Expr::Joined(joined)),
            _ => None,
        }
    }

    /// A whole ARM id: a resource, a part of one, the same thing everywhere, or something outside.
    fn id(&mut self, text: &str) -> Result<Option<Expr>, IacError> {
        let Ok(id) = text.parse::<ArmId>() else {
            return Ok(None);
        };
        let (own, own_id) = self.own;
        let key = id.node_id();
        if let Some((at, found)) = self.by_key.get(key.as_str()) {
            let below_own = found.ancestors().any(|above| above.node_id() == own_id.node_id());
            let waits = *at != own && !below_own;
            return Ok(Some(self.target(found.clone(), *at, waits)));
        }
        for above in id.ancestors() {
            if !above.as_str().to_lowercase().contains("/providers/") {
                break;
            }
            if let Some((at, found)) = self.by_key.get(above.node_id().as_str()) {
                let rest = id.as_str().get(above.as_str().len()..).unwrap_or_default();
                let whole = format!("{}{rest}", found.as_str());
                let Ok(whole) = whole.parse::<ArmId>() else {
                    break;
                };
                let whole = ids::spelled(&whole, self.tables)?;
                return Ok(Some(self.target(whole, *at, *at != own)));
            }
        }
        let spelled = ids::spelled(&id, self.tables)?;
        if self.is_own_subscription(&id) || self.is_everywhere(&id) || is_below(&id, own_id) {
            return Ok(Some(Expr::Id(Target {
                id: spelled,
                of: None,
                waits: false,
            })));
        }
        let type_ = id.arm_type();
        let short = type_.as_str().rsplit('/').next().unwrap_or_default();
        let name = names::identifier(&format!("{short} {}", id.name()));
        let description = format!("Id of {} of type {type_}, which this code does not create", id.name());
        let key = format!("id:{}", key.as_str());
        if holds_stand_in(spelled.as_str()) {
            let description = format!("{description}, in the target");
            return Ok(Some(self.asked(key, name, description)));
        }
        Ok(Some(self.outside(&key, name, description, spelled.as_str())))
    }

    fn is_own_subscription(&self, id: &ArmId) -> bool {
        let own = self.own.1.subscription();
        let is_subscription = id.arm_type().as_str() == SUBSCRIPTION_TYPE;
        is_subscription
            && id
                .subscription()
                .zip(own)
                .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
    }

    /// A definition that Azure ships: the same in every tenant.
    fn is_everywhere(&self, id: &ArmId) -> bool {
        let type_ = id.arm_type();
        let policy = [
            "microsoft.authorization/policydefinitions",
            "microsoft.authorization/policysetdefinitions",
        ];
        let key = id.node_id();
        self.context.built_in_roles.contains_key(key.as_str())
            || (policy.contains(&type_.as_str()) && key.as_str().starts_with("/providers/microsoft.authorization/"))
    }

    fn target(&mut self, id: ArmId, at: usize, waits: bool) -> Expr {
        if waits {
            self.found.push(Found::Uses(at));
        }
        Expr::Id(Target {
            id,
            of: Some(at),
            waits,
        })
    }

    /// Something that has no counterpart in the target: whoever deploys has to name it.
    fn asked(&mut self, key: String, name: String, description: String) -> Expr {
        self.ask(&key, name, description);
        Expr::Param(key)
    }

    fn ask(&mut self, key: &str, name: String, description: String) {
        self.params.entry(key.to_owned()).or_insert_with(|| Param {
            name,
            description,
            kind: ParamKind::Missing("string"),
        });
        self.found.push(Found::Param(key.to_owned()));
    }

    fn outside(&mut self, key: &str, name: String, description: String, value: &str) -> Expr {
        self.params.entry(key.to_owned()).or_insert_with(|| Param {
            name,
            description,
            kind: ParamKind::Outside(value.to_owned()),
        });
        self.found.push(Found::Param(key.to_owned()));
        Expr::Param(key.to_owned())
    }
}

fn is_below(id: &ArmId, own: &ArmId) -> bool {
    id.ancestors().any(|above| above.node_id() == own.node_id())
}
