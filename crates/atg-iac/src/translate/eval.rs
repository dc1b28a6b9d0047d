//! Evaluates the expressions of a row on a body. Gives values, or nothing; never an error.

use serde_json::Value as Json;

use crate::rows::expr::{Atom, Cond, Expr, Path, Pipe, Step, Test};
use crate::select::Resource;
use crate::translate::functions;
use crate::value::Val;

/// Words that say that something is not set; leaving them out changes nothing.
const UNSET: &[&str] = &["", "none", "disabled", "notspecified", "default"];

/// Where an expression is evaluated: the resource, and the elements from the body inwards.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) body: &'a Json,
    /// The elements that blocks were entered through, outermost first, each with its key in a map.
    pub(crate) elements: Vec<(&'a Json, Option<&'a str>)>,
}

/// What a path leads to.
pub(crate) enum Found<'a> {
    /// Nothing.
    Nothing,
    /// One value.
    One(&'a Json),
    /// Several, through `[*]`.
    Many(Vec<&'a Json>),
}

impl<'a> Scope<'a> {
    /// The scope of a resource's whole body.
    pub(crate) fn new(resource: &'a Resource, body: &'a Json) -> Self {
        Self {
            resource,
            body,
            elements: Vec::new(),
        }
    }

    /// The scope one element further in.
    pub(crate) fn enter(&self, element: &'a Json, key: Option<&'a str>) -> Self {
        let mut inner = self.clone();
        inner.elements.push((element, key));
        inner
    }

    fn start(&self, path: &Path) -> Option<&'a Json> {
        if path.from_root {
            return Some(self.body);
        }
        let depth = self.elements.len();
        match depth.checked_sub(path.up) {
            None => None,
            Some(0) => Some(self.body),
            Some(at) => self.elements.get(at - 1).map(|(element, _)| *element),
        }
    }

    /// Follows a path.
    pub(crate) fn find(&self, path: &Path) -> Found<'a> {
        let Some(start) = self.start(path) else {
            return Found::Nothing;
        };
        let mut current = vec![start];
        let mut many = false;
        for step in &path.steps {
            current = match step {
                Step::Member(name) => current.into_iter().filter_map(|value| member(value, name)).collect(),
                Step::Item(at) => current.into_iter().filter_map(|value| value.get(*at)).collect(),
                Step::From(first) => {
                    many = true;
                    let items = |value: &'a Json| value.as_array().into_iter().flatten().skip(*first);
                    current.into_iter().flat_map(items).collect()
                }
                Step::Each => {
                    many = true;
                    current
                        .into_iter()
                        .flat_map(|value| entries(value).map(|(item, _)| item))
                        .collect()
                }
            };
        }
        match (many, current.as_slice()) {
            (true, _) => Found::Many(current),
            (false, [one]) => Found::One(one),
            (false, _) => Found::Nothing,
        }
    }

    /// The elements that a path leads to: the items of an array, the values of a map with their keys,
    /// or a single value.
    pub(crate) fn elements_at(&self, path: &Path) -> Vec<(&'a Json, Option<&'a str>)> {
        match self.find(path) {
            Found::Nothing => Vec::new(),
            Found::One(value) => match value {
                Json::Array(_) | Json::Object(_) => entries(value).filter(|(item, _)| !item.is_null()).collect(),
                Json::Null => Vec::new(),
                Json::Bool(_) | Json::Number(_) | Json::String(_) => vec![(value, None)],
            },
            Found::Many(values) => values.into_iter().map(|value| (value, None)).collect(),
        }
    }

    /// The value of an expression.
    pub(crate) fn value(&self, expr: &Expr) -> Val {
        if expr.condition.as_ref().is_some_and(|condition| !self.holds(condition)) {
            return Val::Null;
        }
        for pipe in &expr.alternatives {
            let value = self.pipe(pipe);
            if !value.is_empty() {
                return value;
            }
        }
        Val::Null
    }

    /// Whether the body has a value for the expression that a list of accepted ones does not hold.
    pub(crate) fn rejects(&self, expr: &Expr) -> bool {
        if expr.condition.as_ref().is_some_and(|condition| !self.holds(condition)) {
            return false;
        }
        let Some(pipe) = expr.alternatives.first() else {
            return false;
        };
        let limits = |call: &crate::rows::expr::Call| call.name == "enum" || call.name == "map";
        let Atom::Path(path) = &pipe.atom else {
            return false;
        };
        let there = match self.find(path) {
            Found::Nothing | Found::Many(_) => false,
            Found::One(value) => value
                .as_str()
                .is_some_and(|text| !UNSET.contains(&text.to_lowercase().as_str())),
        };
        there && pipe.calls.iter().any(limits) && self.pipe(pipe).is_empty()
    }

    /// Whether all tests of a condition hold.
    pub(crate) fn holds(&self, condition: &Cond) -> bool {
        condition
            .any
            .iter()
            .any(|tests| tests.iter().all(|test| self.test(test)))
    }

    fn test(&self, test: &Test) -> bool {
        let value = self.pipe(&test.pipe);
        let text = functions::plain_text(&value).map(|text| text.to_lowercase());
        let holds = match &test.values {
            None => !value.is_empty() && value != Val::Bool(false),
            Some(values) => match &text {
                Some(text) if test.contains => values.iter().any(|value| text.contains(value.as_str())),
                Some(text) => values.contains(text),
                None => values.iter().any(|value| value == "null"),
            },
        };
        holds != test.negated
    }

    fn pipe(&self, pipe: &Pipe) -> Val {
        let mut value = match &pipe.atom {
            Atom::Constant(constant) => Val::from_json(constant),
            Atom::Special(name) => self.special(name),
            Atom::Path(path) => match self.find(path) {
                Found::Nothing => Val::Null,
                Found::One(value) => Val::from_json(value),
                Found::Many(values) => Val::List(values.into_iter().map(Val::from_json).collect()),
            },
        };
        for call in &pipe.calls {
            value = match call.args.first() {
                // The only function that looks at the body again: fixed text, then another value.
                Some(path) if call.name == "concat" => self.concat(&value, path),
                Some(_) | None => functions::call(call, value),
            };
        }
        value
    }

    fn concat(&self, value: &Val, place: &str) -> Val {
        let other = match (place.strip_prefix('@'), Path::parse(place).map(|path| self.find(&path))) {
            (Some(special), _) => self.special(special),
            (None, Ok(Found::One(other))) => Val::from_json(other),
            (None, Ok(Found::Nothing | Found::Many(_)) | Err(_)) => Val::Null,
        };
        match (functions::plain_text(value), functions::plain_text(&other)) {
            (Some(value), Some(other)) => Val::text(&format!("{value}{other}")),
            _ => Val::Null,
        }
    }

    /// The values that are not in the body.
    fn special(&self, name: &str) -> Val {
        let id = self.resource.id.as_ref();
        let of = |id: Option<atg_models::ArmId>, attr: &str| match id {
            Some(id) if attr == "id" => Val::Text(id.as_str().to_owned()),
            Some(id) => Val::Of {
                id: id.as_str().to_owned(),
                attr: attr.to_owned(),
                or: Box::new(Val::Text(id.name().to_owned())),
            },
            None => Val::Null,
        };
        let above = |levels: usize| id.and_then(|id| id.ancestors().nth(levels));
        match name.split_once('.') {
            Some(("parent", attr)) => return of(above(0), attr),
            Some(("parent2", attr)) => return of(above(1), attr),
            Some(("parent3", attr)) => return of(above(2), attr),
            Some(_) => return Val::Null,
            None => {}
        }
        match name {
            "name" => Val::Text(self.resource.name.clone()),
            "id" => Val::Text(self.resource.display_id.clone()),
            "self" => Val::Of {
                id: self.resource.display_id.clone(),
                attr: "id".to_owned(),
                or: Box::new(Val::Text(self.resource.display_id.clone())),
            },
            "rg" => of(id.and_then(group_of), "name"),
            "scope" => id
                .and_then(atg_models::ArmId::scope)
                .map_or(Val::Null, |scope| Val::Text(scope.as_str().to_owned())),
            "subscription" => id
                .and_then(atg_models::ArmId::subscription)
                .map_or(Val::Null, |id| Val::Text(id.to_owned())),
            "key" => match self.elements.last() {
                Some((_, Some(key))) => Val::Text((*key).to_owned()),
                Some((_, None)) | None => Val::Null,
            },
            "secret" => Val::Secret,
            "ask" => Val::Ask("string".to_owned()),
            _ => Val::Null,
        }
    }
}

/// The id of the resource group that an id stands in.
pub(crate) fn group_of(id: &atg_models::ArmId) -> Option<atg_models::ArmId> {
    let (subscription, group) = (id.subscription()?, id.resource_group()?);
    format!("/subscriptions/{subscription}/resourceGroups/{group}")
        .parse()
        .ok()
}

/// A member of an object. Bodies of several sources differ in the case of names.
pub(crate) fn member<'a>(value: &'a Json, name: &str) -> Option<&'a Json> {
    let members = value.as_object()?;
    let found = members.get(name).or_else(|| {
        let folded = members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        folded.map(|(_, value)| value)
    });
    found.filter(|value| !value.is_null())
}

fn entries(value: &Json) -> Box<dyn Iterator<Item = (&Json, Option<&str>)> + '_> {
    match value {
        Json::Array(items) => Box::new(items.iter().map(|item| (item, None))),
        Json::Object(members) => Box::new(members.iter().map(|(key, item)| (item, Some(key.as_str())))),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Box::new(std::iter::empty()),
    }
}
