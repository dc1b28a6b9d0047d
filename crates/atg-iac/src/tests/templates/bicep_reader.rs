//! Reads Bicep from the tree that tree-sitter's grammar makes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tree_sitter::Node;

use super::read::{Place, Read, ReadBack, call, commands};
use crate::Output;

pub(super) fn read(output: &Output) -> ReadBack {
    let mut out = ReadBack::default();
    for (path, place) in commands(output) {
        File::open(output, &path, place).read(&mut out);
    }
    let main: BTreeSet<String> = commands(output).into_iter().map(|(file, _)| file).collect();
    for file in output.files.iter().filter(|file| file.path.ends_with(".bicep")) {
        let is_module = out.deployments.contains_key(module_name(&file.path));
        assert!(
            main.contains(&file.path) || is_module,
            "{} is never deployed",
            file.path
        );
    }
    out
}

fn module_name(path: &str) -> &str {
    path.trim_start_matches("modules/").trim_end_matches(".bicep")
}

/// A value that a parameter or a text alone can be.
pub(super) fn parsed(text: &str) -> tree_sitter::Tree {
    let mut parser = tree_sitter::Parser::new();
    let language = tree_sitter_bicep::LANGUAGE.into();
    parser.set_language(&language).expect("the grammar");
    let tree = parser.parse(text, None).expect("a tree");
    assert!(!tree.root_node().has_error(), "{}\n{text}", tree.root_node().to_sexp());
    tree
}

#[derive(Clone)]
struct Declared {
    type_: String,
    api_version: String,
    id: String,
    existing: bool,
}

struct File<'a> {
    output: &'a Output,
    text: &'a str,
    place: Place,
    params: BTreeSet<String>,
    declared: BTreeMap<String, Declared>,
    modules: BTreeMap<String, String>,
}

impl<'a> File<'a> {
    fn open(output: &'a Output, path: &str, place: Place) -> Self {
        Self {
            output,
            text: super::super::text(output, path),
            place,
            params: BTreeSet::new(),
            declared: BTreeMap::new(),
            modules: BTreeMap::new(),
        }
    }

    fn read(mut self, out: &mut ReadBack) {
        let tree = parsed(self.text);
        let statements = named(tree.root_node());
        let mut secure = false;
        for node in &statements {
            match node.kind() {
                "decorators" => secure = self.of(*node).contains("@secure()"),
                "parameter_declaration" => {
                    self.param(*node, secure, out);
                    secure = false;
                }
                "resource_declaration" => self.declare(*node, &statements),
                "module_declaration" => {
                    let parts = named(*node);
                    self.modules.insert(
                        self.of(parts[0]).to_owned(),
                        module_name(&self.string(parts[1])).to_owned(),
                    );
                }
                "target_scope_assignment" => self.target(*node),
                other => panic!("{other}"),
            }
        }
        for node in statements {
            match node.kind() {
                "resource_declaration" => self.resource(node, out),
                "module_declaration" => self.module(node, out),
                _ => {}
            }
        }
    }

    fn target(&self, node: Node<'_>) {
        let expected = match (
            self.place.0.split('/').count(),
            self.place.0.starts_with("/subscriptions"),
        ) {
            (1, _) => "tenant",
            (3, true) => "subscription",
            (5, true) => "resourceGroup",
            _ => "managementGroup",
        };
        assert_eq!(self.string(named(node)[0]), expected);
    }

    fn param(&mut self, node: Node<'_>, secure: bool, out: &mut ReadBack) {
        let parts = named(node);
        let name = self.of(parts[0]).to_owned();
        let type_ = self.of(parts[1]);
        let type_ = if secure {
            format!("secure{type_}")
        } else {
            type_.to_owned()
        };
        let default = parts.get(2).map(|default| self.string(*default));
        out.add_param(&name, &type_, default);
        self.params.insert(name);
    }
}

impl File<'_> {
    fn of(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    /// The id of a declared resource, of those that it names first.
    fn declare(&mut self, node: Node<'_>, all: &[Node<'_>]) {
        let parts = named(node);
        let symbol = self.of(parts[0]).to_owned();
        if self.declared.contains_key(&symbol) {
            return;
        }
        let type_at = self.string(parts[1]);
        let (type_, api_version) = type_at.split_once('@').expect("a version");
        let object = *parts.last().expect("an object");
        let (mut name, mut base, mut parent) = (String::new(), self.place.clone(), None);
        for member in named(object) {
            let member = named(member);
            match self.of(member[0]) {
                "name" => name = self.string(member[1]),
                "parent" => parent = Some(self.other(member[1], all)),
                "scope" if member[1].kind() == "identifier" => base = Place(self.other(member[1], all)),
                "scope" => base = self.scope(member[1]),
                _ => {}
            }
        }
        let id = match parent {
            Some(parent) => format!("{parent}/{}/{name}", type_.rsplit('/').next().expect("a type")),
            None => base.id(type_, &name.split('/').map(str::to_owned).collect::<Vec<_>>()),
        };
        let existing = named(node).len() > 2
            && self
                .of(node)
                .split('{')
                .next()
                .is_some_and(|head| head.contains(" existing "));
        let declared = Declared {
            type_: type_.to_owned(),
            api_version: api_version.to_owned(),
            id,
            existing,
        };
        self.declared.insert(symbol, declared);
    }

    fn other(&mut self, node: Node<'_>, all: &[Node<'_>]) -> String {
        let symbol = self.of(node).to_owned();
        let found = all
            .iter()
            .find(|other| other.kind() == "resource_declaration" && self.of(named(**other)[0]) == symbol);
        self.declare(*found.unwrap_or_else(|| panic!("no {symbol}")), all);
        self.declared[&symbol].id.clone()
    }

    fn scope(&self, node: Node<'_>) -> Place {
        let (name, args) = self.call_parts(node);
        let args: Vec<String> = args.into_iter().map(|arg| self.string(arg)).collect();
        match (name.as_str(), &args[..]) {
            ("tenant", []) => Place(String::new()),
            ("subscription", []) => Place(format!("/subscriptions/{}", self.place.subscription())),
            ("subscription", [id]) => Place(format!("/subscriptions/{id}")),
            ("managementGroup", [name]) => Place(format!("/providers/Microsoft.Management/managementGroups/{name}")),
            ("resourceGroup", [name]) => self.place.group(name),
            ("resourceGroup", [id, name]) => Place(format!("/subscriptions/{id}/resourceGroups/{name}")),
            other => panic!("{other:?}"),
        }
    }

    fn resource(&self, node: Node<'_>, out: &mut ReadBack) {
        let parts = named(node);
        let symbol = self.of(parts[0]);
        let declared = &self.declared[symbol];
        if declared.existing {
            return;
        }
        let mut waits = BTreeSet::new();
        self.symbols(*parts.last().expect("an object"), &mut waits);
        let mut body = Map::new();
        for member in named(*parts.last().expect("an object")) {
            let member = named(member);
            let name = self.key(member[0]);
            if !["name", "parent", "scope", "dependsOn"].contains(&name.as_str()) {
                body.insert(name, self.value(member[1]));
            }
        }
        let read = Read {
            type_: declared.type_.clone(),
            api_version: declared.api_version.clone(),
            body: Value::Object(body),
            waits,
        };
        out.add(&declared.id, read);
    }

    /// The resources and modules of this file that a node names: it waits for them.
    fn symbols(&self, node: Node<'_>, out: &mut BTreeSet<String>) {
        if node.kind() == "object_property" {
            // A key that looks like a symbol is none.
            let parts = named(node);
            if parts[0].kind() == "string" {
                self.symbols(parts[0], out);
            }
            return self.symbols(parts[1], out);
        }
        if node.kind() == "identifier" {
            let name = self.of(node);
            if let Some(declared) = self.declared.get(name).filter(|declared| !declared.existing) {
                out.insert(declared.id.to_lowercase());
            }
            if let Some(module) = self.modules.get(name) {
                out.insert(format!("deployment {module}"));
            }
        }
        for child in named(node) {
            self.symbols(child, out);
        }
    }

    fn module(&self, node: Node<'_>, out: &mut ReadBack) {
        let parts = named(node);
        let path = self.string(parts[1]);
        let (mut name, mut place, mut given) = (String::new(), None, BTreeSet::new());
        let mut waits = BTreeSet::new();
        for member in named(parts[2]) {
            let member = named(member);
            match self.of(member[0]) {
                "name" => name = self.string(member[1]),
                "scope" if member[1].kind() == "identifier" => {
                    let group = &self.declared[self.of(member[1])];
                    waits.insert(group.id.to_lowercase());
                    place = Some(Place(group.id.clone()));
                }
                "scope" => place = Some(self.scope(member[1])),
                "params" => {
                    for param in named(member[1]) {
                        let param = named(param);
                        assert_eq!(self.of(param[0]), self.of(param[1]));
                        assert!(self.params.contains(self.of(param[0])));
                        given.insert(self.of(param[0]).to_owned());
                    }
                }
                "dependsOn" => self.symbols(member[1], &mut waits),
                other => panic!("{other}"),
            }
        }
        let place = place.expect("a scope");
        assert_eq!(name, module_name(&path));
        let file = File::open(self.output, &path, place.clone());
        out.deployments.insert(name, (place.0, waits));
        let before: BTreeSet<String> = given.clone();
        file.read(out);
        assert!(before.iter().all(|name| out.params.contains_key(name)));
    }

    fn key(&self, node: Node<'_>) -> String {
        match node.kind() {
            "string" => self.string(node),
            "identifier" => self.of(node).to_owned(),
            other => panic!("{other}"),
        }
    }

    fn value(&self, node: Node<'_>) -> Value {
        match node.kind() {
            "null" => Value::Null,
            "boolean" => json!(self.of(node) == "true"),
            "number" => serde_json::from_str(self.of(node)).expect("a number"),
            "array" => self.items(node).into_iter().collect(),
            "object" => Value::Object(
                named(node)
                    .into_iter()
                    .map(|member| {
                        let parts = named(member);
                        (self.key(parts[0]), self.value(parts[1]))
                    })
                    .collect(),
            ),
            "call_expression" if self.of(node).starts_with("json(") => {
                let (_, args) = self.call_parts(node);
                serde_json::from_str(&self.string(args[0])).expect("JSON")
            }
            _ => json!(self.string(node)),
        }
    }

    /// The items of a list. The grammar takes a call in a list for two items, a name and a parenthesis.
    fn items(&self, node: Node<'_>) -> Vec<Value> {
        let mut spans: Vec<(usize, usize, Vec<Node<'_>>)> = Vec::new();
        for item in named(node) {
            match spans.last_mut() {
                Some((_, end, nodes)) if *end == item.start_byte() => {
                    *end = item.end_byte();
                    nodes.push(item);
                }
                _ => spans.push((item.start_byte(), item.end_byte(), vec![item])),
            }
        }
        let items = spans.into_iter().map(|(start, end, nodes)| match nodes[..] {
            [item] => self.value(item),
            _ => self.alone(&self.text[start..end]),
        });
        items.collect()
    }

    /// An expression by itself, with the names of this file.
    fn alone(&self, text: &str) -> Value {
        let text = format!("var x = {text}\n");
        let tree = parsed(&text);
        let file = File {
            output: self.output,
            text: &text,
            place: self.place.clone(),
            params: self.params.clone(),
            declared: self.declared.clone(),
            modules: self.modules.clone(),
        };
        file.value(named(named(tree.root_node())[0])[1])
    }

    fn call_parts<'t>(&self, node: Node<'t>) -> (String, Vec<Node<'t>>) {
        assert_eq!(node.kind(), "call_expression", "{}", self.of(node));
        let name = node.child_by_field_name("function").expect("a function");
        let args = node.child_by_field_name("arguments").expect("arguments");
        (self.of(name).to_owned(), named(args))
    }

    /// Whatever gives a text.
    fn string(&self, node: Node<'_>) -> String {
        match node.kind() {
            "string" => self.literal(node),
            "identifier" => {
                assert!(self.params.contains(self.of(node)), "no parameter {}", self.of(node));
                format!("«param {}»", self.of(node))
            }
            "member_expression" => self.attribute(node),
            "call_expression" => {
                let (name, args) = self.call_parts(node);
                let args: Vec<String> = args.into_iter().map(|arg| self.string(arg)).collect();
                call(&name, &args, &self.place)
            }
            other => panic!("{other}: {}", self.of(node)),
        }
    }

    fn attribute(&self, node: Node<'_>) -> String {
        let text = self.of(node);
        match text {
            "subscription().id" => return call("subscription", &[], &self.place),
            "subscription().subscriptionId" => return self.place.subscription().to_owned(),
            _ => {}
        }
        let (symbol, path) = text.split_once('.').expect("a member");
        let declared = self.declared.get(symbol).unwrap_or_else(|| panic!("no {symbol}"));
        if path == "id" {
            declared.id.clone()
        } else {
            format!("«{}.{path}»", declared.id.to_lowercase())
        }
    }

    fn literal(&self, node: Node<'_>) -> String {
        let inside: BTreeMap<usize, Node<'_>> = named(node)
            .into_iter()
            .filter(|child| child.kind() == "interpolation")
            .map(|child| (child.start_byte(), child))
            .collect();
        let mut out = String::new();
        let mut at = node.start_byte() + 1;
        let end = node.end_byte() - 1;
        while at < end {
            if let Some(child) = inside.get(&at) {
                // Behind an escape the grammar counts a blank to the interpolation; it is the text's.
                let opens = self.text[at..].find("${").expect("an interpolation");
                out.push_str(&self.text[at..at + opens]);
                out.push_str(&self.string(named(*child)[0]));
                at = child.end_byte();
                continue;
            }
            let rest = &self.text[at..end];
            let c = rest.chars().next().expect("a character");
            if c != '\\' {
                out.push(c);
                at += c.len_utf8();
                continue;
            }
            let escape = rest[1..].chars().next().expect("an escape");
            at += 2;
            match escape {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                '\\' | '\'' | '$' => out.push(escape),
                'u' => {
                    let close = rest.find('}').expect("a brace");
                    let code = u32::from_str_radix(&rest[3..close], 16).expect("hex");
                    out.push(char::from_u32(code).expect("a character"));
                    at += close - 1;
                }
                other => panic!("{other}"),
            }
        }
        out
    }
}

fn named(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .collect()
}
