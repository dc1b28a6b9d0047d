//! Where the server is and which key to use: flags and environment first, then a file.

use std::path::{Path, PathBuf};

use atg_client::Client;
use secrecy::SecretString;
use serde::Deserialize;

use crate::arguments::Arguments;
use crate::exit::Failure;

const DEFAULT_SERVER: &str = "http://127.0.0.1:8000";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct File {
    server: Option<String>,
    api_key: Option<SecretString>,
}

/// The client that the command line asks for.
pub(crate) fn client(arguments: &Arguments) -> Result<Client, Failure> {
    let file = read_file(arguments.config.as_deref())?;
    let given = |text: &Option<String>| {
        text.as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let server = given(&arguments.server)
        .or(file.server)
        .unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    let key = given(&arguments.api_key).map(SecretString::from).or(file.api_key);
    // A run of the program submits at most one job, so one name for it is enough.
    #[expect(
        clippy::disallowed_methods,
        reason = "the name of this run is made here and nowhere else"
    )]
    let run = uuid::Uuid::new_v4();
    Ok(Client::new(&server, key)?.with_idempotency_key(format!("atg-{run}")))
}

fn read_file(given: Option<&Path>) -> Result<File, Failure> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => match default_file() {
            Some(path) if path.is_file() => path,
            Some(_) | None => return Ok(File::default()),
        },
    };
    let shown = path.display();
    let text =
        std::fs::read_to_string(&path).map_err(|error| Failure::usage(format!("{shown} cannot be read: {error}")))?;
    toml::from_str(&text).map_err(|error| Failure::usage(format!("{shown} is not valid: {}", error.message())))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line looks for its file here and nowhere else"
)]
fn default_file() -> Option<PathBuf> {
    let variable = |name| {
        std::env::var(name)
            .ok()
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = variable("XDG_CONFIG_HOME").or_else(|| Some(variable("HOME")?.join(".config")))?;
    Some(folder.join("atg/config.toml"))
}
