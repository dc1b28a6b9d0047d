//! Where settings come from: the process environment, `.env`, a TOML file. The first that names one wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::ConfigError;
use super::settings::{self, NOT_YET, OF_OTHERS};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The process environment.
    Environment,
    /// The file `.env` in the working folder.
    DotEnv,
    /// The file given by `--config`.
    File(PathBuf),
    /// The command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::DotEnv => f.write_str(".env"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// The settings that were given, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    values: BTreeMap<&'static str, (String, Origin)>,
}

impl Values {
    /// The text of a setting, when it is set and not blank.
    pub(crate) fn text(&self, name: &'static str) -> Option<&str> {
        self.values
            .get(name)
            .map(|(value, _)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Where a setting was given.
    pub(crate) fn origin(&self, name: &'static str) -> Option<&Origin> {
        self.values.get(name).map(|(_, origin)| origin)
    }

    /// Sets a value over whatever was given.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.values.insert(name, (value, Origin::CommandLine));
    }

    fn add(&mut self, name: &str, value: String, origin: &Origin, problems: &mut Vec<ConfigError>) {
        if let Some(setting) = settings::find(name) {
            self.values.entry(setting.name).or_insert((value, origin.clone()));
        } else if NOT_YET.contains(&name) {
            problems.push(ConfigError::new(
                name,
                format!("is not supported by this version ({origin}): remove it"),
            ));
        } else if name.starts_with("ATG_") && !OF_OTHERS.contains(&name) {
            let hint = settings::closest(name).map_or_else(String::new, |known| format!(", did you mean {known}?"));
            problems.push(ConfigError::new(name, format!("is not a setting ({origin}){hint}")));
        } else if matches!(origin, Origin::File(_)) {
            problems.push(ConfigError::new(name, format!("is not a setting ({origin})")));
        }
    }
}

/// Reads all sources. Every problem is listed, not the first only.
pub(crate) fn load(
    environment: impl Iterator<Item = (String, String)>,
    dotenv: Option<&Path>,
    file: Option<&Path>,
) -> Result<Values, Vec<ConfigError>> {
    let mut values = Values::default();
    let mut problems = Vec::new();
    for (name, value) in environment {
        values.add(&name, value, &Origin::Environment, &mut problems);
    }
    if let Some(path) = dotenv.filter(|path| path.is_file()) {
        read_dotenv(path, &mut values, &mut problems);
    }
    if let Some(path) = file {
        read_toml(path, &mut values, &mut problems);
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

fn read_dotenv(path: &Path, values: &mut Values, problems: &mut Vec<ConfigError>) {
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) => {
            problems.push(ConfigError::new(".env", format!("cannot be read: {error}")));
            return;
        }
    };
    for line in lines {
        match line {
            Ok((name, value)) => values.add(&name, value, &Origin::DotEnv, problems),
            Err(dotenvy::Error::LineParse(line, _)) => {
                problems.push(ConfigError::new(".env", malformed(path, &line)));
            }
            Err(error) => {
                problems.push(ConfigError::new(".env", format!("cannot be read: {error}")));
                return;
            }
        }
    }
}

/// Names a line by its number. What it holds may be a secret: at most the setting's name is shown.
/// `reported` is the line as dotenvy gives it: all of it, or only what stands behind the `=`.
fn malformed(path: &Path, reported: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let reported = reported.trim();
    let is_it = |line: &str| line.trim() == reported || line.split_once('=').is_some_and(|(_, v)| v.trim() == reported);
    let found = text.lines().zip(1_u32..).find(|(line, _)| is_it(line));
    let shown = found.map_or_else(String::new, |(line, number)| {
        let name = line.split('=').next().unwrap_or_default();
        let name = name.trim().trim_start_matches("export ");
        settings::find(name).map_or_else(
            || format!(" at line {number}"),
            |setting| format!(" at line {number} ({})", setting.name),
        )
    });
    format!("is malformed{shown}: lines are NAME=value, a value with spaces stands in quotes")
}

fn read_toml(path: &Path, values: &mut Values, problems: &mut Vec<ConfigError>) {
    let shown = path.display();
    let table = match std::fs::read_to_string(path).map(|text| text.parse::<toml::Table>()) {
        Ok(Ok(table)) => table,
        Ok(Err(error)) => {
            problems.push(ConfigError::new(
                "--config",
                format!("{shown} is not TOML: {}", error.message()),
            ));
            return;
        }
        Err(error) => {
            problems.push(ConfigError::new("--config", format!("{shown} cannot be read: {error}")));
            return;
        }
    };
    let origin = Origin::File(path.to_owned());
    for (name, value) in table {
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(flag) => flag.to_string(),
            toml::Value::Array(items) => items
                .iter()
                .filter_map(toml::Value::as_str)
                .collect::<Vec<_>>()
                .join(","),
            toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => {
                problems.push(ConfigError::new(
                    &name,
                    format!("in {shown} must be a text, a number or a list of texts"),
                ));
                continue;
            }
        };
        values.add(&name.to_uppercase(), text, &origin, problems);
    }
}

#[cfg(test)]
mod tests {
    use super::load;

    #[test]
    fn a_malformed_line_is_named_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "# a\nATG_LOG=info\natg_dev_secret0123\nATG_API_KEYS=a b\n").unwrap();
        let problems = load(std::iter::empty(), Some(&path), None).unwrap_err();
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(texts[0].starts_with(".env is malformed at line 3:"), "{texts:?}");
        assert!(
            texts[1].starts_with(".env is malformed at line 4 (ATG_API_KEYS):"),
            "{texts:?}"
        );
        assert!(!texts.concat().contains("secret"), "{texts:?}");
    }
}
