//! Parameters in place of what is not known and of what is never written.

use crate::names;
use crate::tables::Node;
use crate::template::fit::{Fitting, MAX_ASKED_DEPTH, join};
use crate::template::value::{Expr, Key, Param, ParamKind, Value};

impl<'a> Fitting<'a> {
    /// What stands for something required that the body lacks.
    pub(super) fn asked(&mut self, node: &'a Node, path: &str, depth: usize) -> Value {
        match self.resolved(node) {
            Node::Enum(values) if values.len() == 1 => {
                values.first().map_or(Value::Null, |only| Value::Text(only.clone()))
            }
            Node::Object(members) if depth < MAX_ASKED_DEPTH => {
                let required = members.by_name.values().filter(|member| member.required);
                let required = required.filter_map(|member| {
                    let value = self.asked(member.node.as_ref()?, &join(path, &member.name), depth + 1);
                    Some((Key::Text(member.name.clone()), value))
                });
                Value::Map(required.collect())
            }
            Node::Map(_) => Value::Map(Vec::new()),
            Node::SecretText => self.secret(path, ParamKind::SecretText),
            Node::SecretObject => self.secret(path, ParamKind::SecretObject),
            Node::Text | Node::Enum(_) => self.missing(path, "string"),
            Node::Number => self.missing(path, "int"),
            Node::Bool => self.missing(path, "bool"),
            Node::List(_) => self.missing(path, "array"),
            Node::Object(_) | Node::Choice { .. } | Node::Any | Node::Ref(_) => self.missing(path, "object"),
        }
    }

    pub(super) fn missing(&mut self, path: &str, type_: &'static str) -> Value {
        self.notes.push((
            path.to_owned(),
            "required, and not in the body; a parameter stands in its place".to_owned(),
        ));
        self.param(path, ParamKind::Missing(type_))
    }

    pub(super) fn secret(&mut self, path: &str, kind: ParamKind) -> Value {
        self.notes
            .push((path.to_owned(), "a secret; a parameter stands in its place".to_owned()));
        self.param(path, kind)
    }

    pub(super) fn secret_name(&mut self, path: &str) {
        self.notes
            .push((path.to_owned(), "a member whose name is a secret; left out".to_owned()));
        self.left_out.push(path.to_owned());
    }

    fn param(&mut self, path: &str, kind: ParamKind) -> Value {
        let key = format!("own:{}.{path}", self.key);
        let what = match kind {
            ParamKind::SecretText | ParamKind::SecretObject => "A secret that is never read",
            ParamKind::Missing(_) | ParamKind::Outside(_) => "Required, and not known",
        };
        let param = Param {
            name: names::identifier(&format!("{} {path}", self.label)),
            description: format!("{what}: {path} of {}", self.label),
            kind,
        };
        self.params.insert(key.clone(), param);
        Value::Expr(Expr::Param(key))
    }
}
