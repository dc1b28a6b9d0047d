//! `atg download`: fetches the files that a job has generated.

use std::path::{Path, PathBuf};

use atg_client::{Client, ClientError, Downloaded};
use atg_models::JobId;
use atg_models::api::JobResultResponse;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::follow::grouped;
use crate::arguments::Download;
use crate::exit::Failure;
use crate::extract::extract;
use crate::out;

pub(super) async fn run(client: &Client, download: &Download, json: bool) -> Result<(), Failure> {
    let output = download.output.as_deref();
    let fetched = match &download.file {
        Some(name) => fetch_file(client, download.job, name, output, json).await?,
        None => fetch(client, download.job, output, download.extract.as_deref(), json).await?,
    };
    if json {
        out::json(&fetched);
    } else {
        fetched.show();
    }
    Ok(())
}

/// A zip that was fetched, and unpacked if asked to.
#[derive(Serialize)]
pub(super) struct Fetched {
    path: PathBuf,
    size: u64,
    sha256: String,
    extracted: Option<PathBuf>,
    files: Option<usize>,
}

impl Fetched {
    /// For people.
    pub(super) fn show(&self) {
        out::line(&format!("  {}  {} bytes", self.path.display(), grouped(self.size)));
        out::line(&format!("  sha256     {} (as published)", self.sha256));
        if let (Some(folder), Some(files)) = (&self.extracted, self.files) {
            out::line(&format!("  unpacked   {files} files into {}", folder.display()));
        }
    }
}

/// A job's result with the download that followed it, as one document.
#[derive(Serialize)]
struct With<'a> {
    #[serde(flatten)]
    result: &'a JobResultResponse,
    download: &'a Fetched,
}

/// Ends a command that generates: fetches what was generated if asked to, else says how to.
pub(super) async fn after(
    client: &Client,
    result: &JobResultResponse,
    output: Option<&Path>,
    folder: Option<&Path>,
    json: bool,
) -> Result<(), Failure> {
    let job = result.job_id;
    if output.is_some() || folder.is_some() {
        let fetched = fetch(client, job, output, folder, json).await?;
        if json {
            out::json(&With {
                result,
                download: &fetched,
            });
        } else {
            fetched.show();
        }
        return Ok(());
    }
    if json {
        out::json(result);
    } else {
        out::line(&format!("  fetch it with: atg download {job} --extract DIR"));
    }
    Ok(())
}

/// Fetches the zip, checks it, and unpacks it if asked to.
pub(super) async fn fetch(
    client: &Client,
    job: JobId,
    output: Option<&Path>,
    folder: Option<&Path>,
    json: bool,
) -> Result<Fetched, Failure> {
    let path = output.map_or_else(|| PathBuf::from(format!("{job}.zip")), Path::to_owned);
    let bar = Bar::new(json);
    let fetching = client.download(job, &path, |bytes, total| bar.show(bytes, total));
    let fetched = to_end(job, &bar, fetching).await?;
    let files = folder.map(|folder| extract(&fetched.path, folder)).transpose()?;
    Ok(Fetched {
        path: fetched.path,
        size: fetched.size_bytes,
        sha256: fetched.sha256,
        extracted: folder.map(Path::to_owned),
        files,
    })
}

/// Fetches one file and checks it.
async fn fetch_file(
    client: &Client,
    job: JobId,
    name: &str,
    output: Option<&Path>,
    json: bool,
) -> Result<Fetched, Failure> {
    let own_name = name.rsplit('/').next().unwrap_or(name);
    let path = output.map_or_else(|| PathBuf::from(own_name), Path::to_owned);
    let bar = Bar::new(json);
    let fetching = client.download_file(job, name, &path, |bytes, total| bar.show(bytes, total));
    let fetched = to_end(job, &bar, fetching).await?;
    Ok(Fetched {
        path: fetched.path,
        size: fetched.size_bytes,
        sha256: fetched.sha256,
        extracted: None,
        files: None,
    })
}

/// Ctrl-C ends a fetch; what has come stays for the next one.
async fn to_end(
    job: JobId,
    bar: &Bar,
    fetching: impl Future<Output = Result<Downloaded, ClientError>>,
) -> Result<Downloaded, Failure> {
    let fetched = tokio::select! {
        fetched = fetching => fetched.map_err(Failure::from),
        Ok(()) = tokio::signal::ctrl_c() => Err(Failure::download_interrupted(job)),
    };
    bar.finish();
    fetched
}

/// How much has come, for a person at a terminal.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new(quiet: bool) -> Self {
        Self((out::is_terminal() && !quiet).then(|| {
            let style = ProgressStyle::with_template("{spinner:.cyan} {bytes}/{total_bytes} {wide_msg}");
            let bar = ProgressBar::no_length();
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        }))
    }

    fn show(&self, bytes: u64, total: Option<u64>) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
            if let Some(total) = total {
                bar.set_length(total);
            }
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
