//! Planting: a marker in every place that a text can take. Not one byte of it comes through.

use atg_models::graph::{NodeKind, Observation};
use atg_models::secrets;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{cases, complete, files, form, tenant, text};

/// A word that no vocabulary knows and no placeholder can hold: `q` and `z` are no hexadecimal digits.
pub(super) const MARKER: &str = "zqmarker";

/// Numbers markers, so that a failure says which one it was.
#[derive(Default)]
pub(super) struct Planter {
    count: u64,
}

impl Planter {
    fn marker(&mut self) -> String {
        self.count += 1;
        format!("{MARKER}{}q", self.count)
    }

    /// Replaces every text of a value, and adds a member of a foreign name to every object. `id` and `type` keep
    /// their form, with markers in the names.
    pub(super) fn plant(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.marker(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.plant(item)),
            Value::Object(members) => self.plant_members(members),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn plant_members(&mut self, members: &mut Map<String, Value>) {
        for (name, value) in members.iter_mut() {
            let id = value
                .as_str()
                .filter(|text| text.starts_with('/'))
                .map(|id| self.in_id(id));
            match id {
                Some(id) => *value = Value::String(id),
                None if name.eq_ignore_ascii_case("tags") => *value = self.tags(),
                None => self.plant(value),
            }
        }
        let (name, number) = (self.marker(), self.marker());
        members.insert(name, json!([self.marker(), { number: 7 }]));
    }

    /// The id with every name in it replaced.
    fn in_id(&mut self, id: &str) -> String {
        let mut out = Vec::new();
        for (at, segment) in id.split('/').skip(1).enumerate() {
            let named = at % 2 == 1 && !segment.to_lowercase().starts_with("microsoft.");
            out.push(if named { self.marker() } else { segment.to_owned() });
        }
        format!("/{}", out.join("/"))
    }

    fn tags(&mut self) -> Value {
        json!({ self.marker(): self.marker(), "env": self.marker(), "Owner": self.marker() })
    }

    /// A row with everything replaced but its type, which says how it is read, and its name, which follows its id.
    pub(super) fn row(&mut self, row: &Value) -> Value {
        let mut planted = row.clone();
        self.plant(&mut planted);
        if let Some(members) = planted.as_object_mut() {
            if let Some(type_) = row.get("type") {
                members.insert("type".to_owned(), type_.clone());
            }
            members.insert("location".to_owned(), json!(self.marker()));
            members.insert("tags".to_owned(), self.tags());
            let name = members
                .get("id")
                .and_then(Value::as_str)
                .and_then(|id| id.rsplit('/').next());
            if let Some(name) = name.map(str::to_owned) {
                members.insert("name".to_owned(), json!(name));
            }
        }
        planted
    }
}

/// Neither form has a byte of a marker.
pub(super) fn check(observations: &[Observation]) {
    for hierarchical in [false, true] {
        let text = text(&files(observations, &form(hierarchical), &complete()));
        let line = text.lines().find(|line| line.to_lowercase().contains(MARKER));
        assert_eq!(line, None);
    }
}

#[test]
fn every_text_of_the_small_tenant() {
    let mut planter = Planter::default();
    let bodies = cases::shop();
    let rows: Vec<_> = bodies
        .iter()
        .filter_map(|observation| observation.node.body.as_ref())
        .collect();
    let planted: Vec<_> = rows.iter().map(|row| planter.row(row)).collect();
    let observations = tenant(&planted, &[]);
    assert!(observations.len() > 5);
    check(&observations);
}

#[test]
fn every_text_of_the_directory() {
    let mut planter = Planter::default();
    let id = |number: u32| format!("bbbbbbbb-0000-0000-0000-{number:012}");
    let mut rows = Vec::new();
    let kinds = [
        NodeKind::User,
        NodeKind::Group,
        NodeKind::ServicePrincipal,
        NodeKind::Application,
        NodeKind::DirectoryRole,
        NodeKind::AdministrativeUnit,
        NodeKind::Device,
    ];
    for (number, kind) in (0..).zip(kinds) {
        let mut row = json!({
            "displayName": "x", "userPrincipalName": "x", "mail": "x", "appId": "x", "proxyAddresses": ["x"],
            "servicePrincipalNames": ["x"], "identifierUris": ["x"], "passwordCredentials": [{"hint": "x"}],
        });
        planter.plant(&mut row);
        row.as_object_mut().unwrap().insert("id".to_owned(), json!(id(number)));
        rows.push((kind, row));
    }
    check(&tenant(&[], &rows));
}

/// As if nothing had been redacted before: the second net has to hold alone.
fn fill(value: &mut Value, with: &str) {
    match value {
        Value::String(text) if !text.starts_with('/') => with.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, with)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, with)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_row_of_the_two_tables_of_secrets() {
    for (name, credential) in secrets::planted::credentials() {
        let mut observations = cases::shop();
        for observation in &mut observations {
            observation.node.tags.insert(credential.clone(), credential.clone());
            if let Some(body) = &mut observation.node.body {
                fill(body, &credential);
            }
        }
        for hierarchical in [false, true] {
            let text = text(&files(&observations, &form(hierarchical), &complete()));
            let parts = credential.split(|c: char| c.is_whitespace() || c == ';');
            let telling = parts.chain([credential.as_str()]).filter(|part| part.len() > 8);
            for part in telling {
                assert!(!text.contains(part), "{name}: {part}");
            }
        }
    }
    let named: Map<String, Value> = secrets::planted::names()
        .map(|name| {
            (
                name.to_owned(),
                json!({ name: MARKER, "value": MARKER, "key": [MARKER] }),
            )
        })
        .collect();
    assert!(named.len() > 50);
    let mut observations = cases::shop();
    for observation in &mut observations {
        observation.node.body = Some(json!({ "properties": named }));
    }
    check(&observations);
}

#[test]
fn numbers_are_shown_where_they_measure_and_not_where_they_identify() {
    let row = json!({
        "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/x", "name": "x",
        "type": "microsoft.network/virtualnetworkgateways",
        "properties": {"bgpSettings": {"asn": 64999, "peerWeight": 31}, "accountNumber": 4711, "contoso": 4712,
            "diskSizeGB": 1023, "text": "4713", "latitude": 52.52},
    });
    let text = text(&files(&tenant(&[row], &[]), &form(false), &complete()));
    for shown in ["peerWeight: `31`", "diskSizeGB: `1023`"] {
        assert!(text.contains(shown), "{shown} not in\n{text}");
    }
    for identifies in ["64999", "4711", "4712", "4713", "52.52"] {
        assert!(!text.contains(identifies), "{identifies} in\n{text}");
    }
}

/// Shapes that texts of tenants have.
fn shapes() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(MARKER.to_owned()),
        Just(format!("https://{MARKER}.blob.core.windows.net/x?sig={MARKER}")),
        Just(format!("{MARKER}@{MARKER}.onmicrosoft.com")),
        Just(format!("Server={MARKER};Password={MARKER};")),
        Just(format!("/subscriptions/{MARKER}/resourceGroups/{MARKER}")),
        Just(format!("/providers/Microsoft.Authorization/roleDefinitions/{MARKER}")),
        Just(format!("{MARKER}/{MARKER}")),
        Just(format!("Microsoft.{MARKER}/{MARKER}")),
        Just(format!("Standard_{MARKER}")),
        Just(format!("DOCKER|{MARKER}")),
        Just(format!("-----BEGIN CERTIFICATE-----\n{MARKER}\n")),
        Just(format!("`{MARKER}` | <b>{MARKER}</b>\n# {MARKER}")),
        "[ -~]{0,20}".prop_map(|text| format!("{text}{MARKER}{text}")),
    ]
}

fn bodies() -> impl Strategy<Value = Value> {
    let known = prop::sample::select(vec![
        "properties",
        "sku",
        "name",
        "tier",
        "location",
        "version",
        "port",
        "vmSize",
        "zones",
        "publisher",
        "value",
        "linuxFxVersion",
        "addressPrefix",
        "identity",
        "userAssignedIdentities",
        "kind",
        "type",
        "id",
        "displayName",
    ]);
    let names = prop_oneof![known.prop_map(str::to_owned), shapes()];
    let leaf = prop_oneof![shapes().prop_map(Value::String), any::<bool>().prop_map(Value::Bool)];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((names.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a body looks like, wherever the text stands.
    #[test]
    fn no_shape_of_text_comes_through(body in bodies(), tag in shapes()) {
        let mut row = json!({
            "id": format!("/subscriptions/s/resourceGroups/{MARKER}/providers/Microsoft.Web/sites/{MARKER}"),
            "type": "microsoft.web/sites", "name": MARKER, "tags": {tag.clone(): tag},
        });
        row.as_object_mut().unwrap().insert("properties".to_owned(), body);
        check(&tenant(&[row], &[]));
    }
}
