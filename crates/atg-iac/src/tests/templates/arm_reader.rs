//! Reads ARM templates as a deployment would: nested templates, expressions, escapes.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::read::{Place, Read, ReadBack, call, commands};
use crate::Output;

pub(super) fn read(output: &Output) -> ReadBack {
    let mut out = ReadBack::default();
    for (file, place) in commands(output) {
        let template: Value = serde_json::from_str(super::super::text(output, &file)).expect("JSON");
        self::template(&template, &place, &mut out);
    }
    out
}

fn template(template: &Value, place: &Place, out: &mut ReadBack) {
    for (name, param) in template["parameters"].as_object().expect("parameters") {
        let default = param
            .get("defaultValue")
            .map(|value| unescaped(value.as_str().expect("a text")));
        let type_ = param["type"].as_str().expect("a type");
        out.add_param(name, type_, default);
    }
    for resource in template["resources"].as_array().expect("resources") {
        let resource = resource.as_object().expect("a resource");
        if resource["type"] == "Microsoft.Resources/deployments" && resource.contains_key("resourceGroup") {
            nested(resource, place, out);
        } else {
            self::resource(resource, place, out);
        }
    }
}

fn nested(resource: &Map<String, Value>, place: &Place, out: &mut ReadBack) {
    let inner = place.group(&text(&resource["resourceGroup"], place));
    let properties = &resource["properties"];
    assert_eq!(properties["expressionEvaluationOptions"]["scope"], "inner");
    let template = &properties["template"];
    for (name, given) in properties["parameters"].as_object().expect("parameters") {
        assert_eq!(text(&given["value"], place), format!("«param {name}»"));
        assert!(template["parameters"].get(name).is_some(), "{name} is not declared");
    }
    let name = text(&resource["name"], place);
    let old = out.deployments.insert(name, (inner.0.clone(), waits(resource, place)));
    assert!(old.is_none());
    self::template(template, &inner, out);
}

fn resource(resource: &Map<String, Value>, place: &Place, out: &mut ReadBack) {
    let type_ = resource["type"].as_str().expect("a type");
    let names: Vec<String> = text(&resource["name"], place).split('/').map(str::to_owned).collect();
    let on = resource
        .get("scope")
        .map_or_else(|| place.clone(), |scope| Place(text(scope, place)));
    let mut body = resource.clone();
    for name in ["type", "apiVersion", "name", "scope", "dependsOn"] {
        body.remove(name);
    }
    let read = Read {
        type_: type_.to_owned(),
        api_version: resource["apiVersion"].as_str().expect("a version").to_owned(),
        body: value(&Value::Object(body), place),
        waits: waits(resource, place),
    };
    out.add(&on.id(type_, &names), read);
}

fn waits(resource: &Map<String, Value>, place: &Place) -> BTreeSet<String> {
    let waits = resource
        .get("dependsOn")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    waits
        .map(|id| {
            let id = text(id, place);
            match id.split_once("/providers/Microsoft.Resources/deployments/") {
                Some((_, name)) => format!("deployment {name}"),
                None => id.to_lowercase(),
            }
        })
        .collect()
}

fn value(value: &Value, place: &Place) -> Value {
    match value {
        Value::String(_) => json!(text(value, place)),
        Value::Array(items) => items.iter().map(|item| self::value(item, place)).collect(),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, member)| (text(&json!(name), place), self::value(member, place)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn text(value: &Value, place: &Place) -> String {
    let text = value.as_str().expect("a text");
    if text.starts_with('[') && text.ends_with(']') && !text.starts_with("[[") {
        let mut parser = Parser {
            rest: &text[1..text.len() - 1],
            place,
        };
        let value = parser.expression();
        assert_eq!(parser.rest, "", "{text}");
        return value;
    }
    unescaped(text)
}

fn unescaped(text: &str) -> String {
    if text.starts_with("[[") && text.ends_with(']') {
        text[1..].to_owned()
    } else {
        text.to_owned()
    }
}

struct Parser<'a> {
    rest: &'a str,
    place: &'a Place,
}

impl Parser<'_> {
    fn expression(&mut self) -> String {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('\'') {
            self.rest = rest;
            return self.literal();
        }
        let end = self.rest.find('(').expect("a call");
        let name = self.rest[..end].to_owned();
        self.rest = &self.rest[end + 1..];
        let mut args = Vec::new();
        while !self.rest.starts_with(')') {
            args.push(self.expression());
            self.rest = self.rest.trim_start_matches([',', ' ']);
        }
        self.rest = &self.rest[1..];
        let mut members = Vec::new();
        while let Some(rest) = self.rest.strip_prefix('.') {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            members.push(rest[..end].to_owned());
            self.rest = &rest[end..];
        }
        match (name.as_str(), members.join(".").as_str()) {
            ("parameters", "") => format!("«param {}»", args[0]),
            ("concat", "") => args.concat(),
            ("reference", path) if args.len() == 2 => format!("«{}.properties.{path}»", args[0].to_lowercase()),
            ("reference", path) => format!("«{}.{path}»", args[0].to_lowercase()),
            ("subscription", "subscriptionId") => self.place.subscription().to_owned(),
            ("subscription", "id") => call("subscription", &args, self.place),
            (name, "") => call(name, &args, self.place),
            other => panic!("{other:?}"),
        }
    }

    fn literal(&mut self) -> String {
        let mut out = String::new();
        loop {
            let end = self.rest.find('\'').expect("an end");
            out.push_str(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            match self.rest.strip_prefix('\'') {
                Some(rest) => {
                    out.push('\'');
                    self.rest = rest;
                }
                None => return out,
            }
        }
    }
}
