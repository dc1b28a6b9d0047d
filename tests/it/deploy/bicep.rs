//! The Bicep parses, and its resources hold only members that Azure publishes for their type and api-version.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::Value;
use tree_sitter::Node;

use super::{all, root, text};

const MAIN: &str = "deploy/bicep/main.bicep";
/// What Bicep adds to the body of a resource.
const OF_BICEP: [&str; 4] = ["name", "parent", "scope", "dependsOn"];

/// The published bodies by lower-cased type, as the code generator embeds them: `p` members (`*` required, `-` read
/// only), `l` items, `m` values of free names, `r` a shared part of `d`, a list of words, `s` `S` `i` `b` `a`.
fn published() -> BTreeMap<String, Value> {
    let packed = std::fs::File::open(root().join("crates/atg-iac/data/tables/arm-bodies.gz")).unwrap();
    let mut lines = String::new();
    GzDecoder::new(packed).read_to_string(&mut lines).unwrap();
    let lines = lines.lines().filter_map(|line| line.split_once('\t'));
    lines
        .filter(|(name, _)| name.starts_with("microsoft."))
        .map(|(name, body)| (name.to_owned(), serde_json::from_str(body).unwrap()))
        .collect()
}

fn tree(text: &str) -> tree_sitter::Tree {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_bicep::LANGUAGE.into()).unwrap();
    parser.parse(text, None).unwrap()
}

fn named(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    let children = node.named_children(&mut cursor);
    children.filter(|child| child.kind() != "comment").collect()
}

/// What a node stands for in the file.
fn written<'t>(node: Node<'_>, text: &'t str) -> &'t str {
    node.utf8_text(text.as_bytes()).unwrap()
}

/// Compares one resource with what is published.
struct Checker<'a> {
    text: &'a str,
    shared: &'a Value,
    problems: Vec<String>,
}

impl Checker<'_> {
    fn of(&self, node: Node<'_>) -> &str {
        written(node, self.text)
    }

    fn problem(&mut self, node: Node<'_>, what: &str) {
        let line = node.start_position().row + 1;
        self.problems.push(format!("line {line}: {what}"));
    }

    fn value(&mut self, node: Node<'_>, schema: &Value) {
        if let Some(name) = schema["r"].as_str() {
            let shared = self.shared[name].clone();
            return self.value(node, &shared);
        }
        match node.kind() {
            "object" if schema["p"].is_object() => self.object(node, schema, &[]),
            "object" if schema.get("m").is_some() => {
                for member in named(node) {
                    self.value(named(member)[1], &schema["m"]);
                }
            }
            "array" if schema.get("l").is_some() => {
                for item in named(node) {
                    self.value(item, &schema["l"]);
                }
            }
            "ternary_expression" => {
                for branch in &named(node)[1..] {
                    self.value(*branch, schema);
                }
            }
            "call_expression" if self.of(node).starts_with("concat(") => {
                for part in named(named(node)[1]) {
                    self.value(part, schema);
                }
            }
            "string" => self.string(node, schema),
            "boolean" if schema != "b" => self.problem(node, "no truth value stands here"),
            "number" if schema != "i" => self.problem(node, "no number stands here"),
            "object" | "array" if schema != "a" => self.problem(node, "no object or list stands here"),
            // What is computed is known when it is deployed.
            _ => {}
        }
    }

    fn string(&mut self, node: Node<'_>, schema: &Value) {
        let word = self.of(node).trim_matches('\'').to_owned();
        match schema.as_array() {
            Some(words) if !word.contains("${") && !words.iter().any(|known| known == &word) => {
                self.problem(node, &format!("{word} is none of {schema}"));
            }
            None if !["s", "S", "a"].map(Value::from).contains(schema) => self.problem(node, "no text stands here"),
            _ => {}
        }
    }

    fn object(&mut self, node: Node<'_>, schema: &Value, besides: &[&str]) {
        let mut given = BTreeSet::new();
        for member in named(node) {
            let parts = named(member);
            let name = self.of(parts[0]).trim_matches('\'').to_owned();
            if besides.contains(&name.as_str()) {
                continue;
            }
            let members = &schema["p"];
            let found = members.get(&name).or_else(|| members.get(format!("*{name}")));
            match found {
                Some(schema) => self.value(parts[1], &schema.clone()),
                None => self.problem(parts[0], &format!("{name} is not published, or can only be read")),
            }
            given.insert(name);
        }
        for name in schema["p"]
            .as_object()
            .unwrap()
            .keys()
            .filter_map(|name| name.strip_prefix('*'))
        {
            if !given.contains(name) {
                self.problem(node, &format!("{name} is missing"));
            }
        }
    }
}

/// Every problem of a file, and how many resources it has.
fn check(text: &str) -> (usize, Vec<String>) {
    let tree = tree(text);
    assert!(!tree.root_node().has_error(), "{}", tree.root_node().to_sexp());
    let published = published();
    let resources = named(tree.root_node());
    let resources = resources
        .into_iter()
        .filter(|node| node.kind() == "resource_declaration");
    let problems: Vec<_> = resources.map(|node| resource(node, text, &published)).collect();
    (problems.len(), problems.concat())
}

fn resource(node: Node<'_>, text: &str, published: &BTreeMap<String, Value>) -> Vec<String> {
    let parts = named(node);
    let type_ = written(parts[1], text).trim_matches('\'');
    let (type_, version) = type_.split_once('@').unwrap();
    let Some(facts) = published.get(&type_.to_lowercase()) else {
        return vec![format!("{type_} is not published")];
    };
    let mut checker = Checker {
        text,
        shared: &facts["d"],
        problems: Vec::new(),
    };
    // The bodies are those of the newest version.
    let mut versions = facts["n"].as_array().unwrap().iter().filter_map(Value::as_str);
    let newest = versions.rfind(|version| !version.ends_with("-preview"));
    if newest != Some(version) {
        checker.problem(node, &format!("{version} is not the newest, {newest:?}"));
    }
    let head = written(node, text).split('{').next().unwrap();
    if !head.contains(" existing ") {
        checker.object(*parts.last().unwrap(), &facts["b"], &OF_BICEP);
    }
    let problems = checker.problems.into_iter();
    problems.map(|problem| format!("{type_}, {problem}")).collect()
}

#[test]
fn its_resources_are_what_azure_publishes() {
    let (resources, problems) = check(&text(MAIN));
    assert_eq!(problems, Vec::<String>::new());
    assert!(resources >= 9, "{resources}");
}

#[test]
fn a_wrong_member_word_or_type_is_seen() {
    let good = text(MAIN);
    for (right, wrong, problem) in [
        (
            "allowBlobPublicAccess:",
            "allowBlobPublicAcces:",
            "allowBlobPublicAcces is not published",
        ),
        ("'StorageV2'", "'StorageV9'", "StorageV9 is none of"),
        ("targetPort: 8000", "targetPort: '8000'", "no text stands here"),
        ("keyVaultUrl:", "keyVaultUri:", "keyVaultUri is not published"),
        ("secretRef: 'api-keys'", "secret: 'api-keys'", "secret is not published"),
        (
            "containerApps@2026-01-01",
            "containerApps@2031-01-01",
            "2031-01-01 is not the newest",
        ),
        ("  kind: 'StorageV2'\n", "", "kind is missing"),
    ] {
        assert!(good.contains(right), "{right}");
        let (_, problems) = check(&good.replace(right, wrong));
        assert!(
            problems.iter().any(|found| found.contains(problem)),
            "{problem}: {problems:?}"
        );
    }
}

#[test]
fn the_example_gives_every_parameter_that_has_no_default() {
    let main = text(MAIN);
    let example: Value = serde_json::from_str(&text("deploy/bicep/example.parameters.json")).unwrap();
    let given: BTreeSet<String> = example["parameters"].as_object().unwrap().keys().cloned().collect();
    let known: BTreeSet<String> = all(r"(?m)^param (\w+) ", &main).into_iter().collect();
    let needed: BTreeSet<String> = all(r"(?m)^param (\w+) \w+$", &main).into_iter().collect();
    assert!(given.is_subset(&known), "{given:?} of {known:?}");
    assert!(needed.is_subset(&given), "{needed:?}");
}

/// Functions of Bicep that the file calls.
const FUNCTIONS: [&str; 9] = [
    "concat",
    "empty",
    "guid",
    "json",
    "replace",
    "resourceGroup",
    "subscriptionResourceId",
    "toLower",
    "uniqueString",
];

/// The names that a node uses: not those of members, nor of types.
fn uses(node: Node<'_>, text: &str, found: &mut BTreeSet<String>) {
    let parts = named(node);
    let parts = match node.kind() {
        "identifier" => {
            found.insert(written(node, text).to_owned());
            return;
        }
        "decorators" | "type" => return,
        "object_property" if parts[0].kind() == "identifier" => &parts[1..],
        "resource_declaration" | "parameter_declaration" | "variable_declaration" => &parts[1..],
        "output_declaration" => &parts[2..],
        _ => &parts[..],
    };
    for part in parts {
        uses(*part, text, found);
    }
}

/// What Bicep's own linter would ask, as far as one file goes.
#[test]
fn every_name_that_is_used_is_declared_and_the_other_way_round() {
    let main = text(MAIN);
    let mut used = BTreeSet::new();
    uses(tree(&main).root_node(), &main, &mut used);
    let used: BTreeSet<String> = used
        .into_iter()
        .filter(|name| !FUNCTIONS.contains(&name.as_str()))
        .collect();
    let declared: BTreeSet<String> = all(r"(?m)^(?:param|var|resource) (\w+) ", &main).into_iter().collect();
    assert_eq!(used, declared);
}

#[test]
fn every_secret_that_is_used_is_declared() {
    let main = text(MAIN);
    let declared: BTreeSet<String> = all(r"name: '([\w-]+)'\s+keyVaultUrl:", &main).into_iter().collect();
    let used: BTreeSet<String> = all(r"secretRef: '([\w-]+)'", &main).into_iter().collect();
    assert_eq!(declared, used);
}
