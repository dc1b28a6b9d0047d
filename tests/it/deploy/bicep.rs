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

/// Compares one resource with what is published.
struct Checker<'a> {
    text: &'a str,
    shared: &'a Value,
    problems: Vec<String>,
}

impl Checker<'_> {
    fn of(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
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
    let (mut resources, mut problems) = (0, Vec::new());
    for node in named(tree.root_node()) {
        if node.kind() != "resource_declaration" {
            continue;
        }
        resources += 1;
        let parts = named(node);
        let (type_, version) = text[parts[1].byte_range()].trim_matches('\'').split_once('@').unwrap();
        let Some(facts) = published.get(&type_.to_lowercase()) else {
            problems.push(format!("{type_} is not published"));
            continue;
        };
        // The bodies are those of the newest version.
        if facts["n"].as_array().and_then(|versions| {
            versions
                .iter()
                .rfind(|version| !version.as_str().unwrap().ends_with("-preview"))
        }) != Some(&version.into())
        {
            problems.push(format!("{type_}: {version} is not the newest of {}", facts["n"]));
        }
        if text[node.byte_range()]
            .split('{')
            .next()
            .unwrap()
            .contains(" existing ")
        {
            continue;
        }
        let mut checker = Checker {
            text,
            shared: &facts["d"],
            problems: Vec::new(),
        };
        checker.object(*parts.last().unwrap(), &facts["b"], &OF_BICEP);
        problems.extend(
            checker
                .problems
                .into_iter()
                .map(|problem| format!("{type_}, {problem}")),
        );
    }
    (resources, problems)
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
            "is not the newest of",
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

/// Names of the variables of a container, and what secrets they come from.
#[test]
fn every_secret_that_is_used_is_declared() {
    let main = text(MAIN);
    let declared: BTreeSet<String> = all(r"name: '([\w-]+)'\s+keyVaultUrl:", &main).into_iter().collect();
    let used: BTreeSet<String> = all(r"secretRef: '([\w-]+)'", &main).into_iter().collect();
    assert_eq!(declared, used);
}
