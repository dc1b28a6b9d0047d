//! `atg download`: fetches the files that a job has generated.

use std::path::{Path, PathBuf};

use atg_client::Client;
use atg_models::JobId;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::follow::grouped;
use crate::arguments::Download;
use crate::exit::Failure;
use crate::extract::extract;
use crate::out;

pub(super) async fn run(client: &Client, download: &Download, json: bool) -> Result<(), Failure> {
    fetch(
        client,
        download.job,
        download.output.as_deref(),
        download.extract.as_deref(),
        json,
    )
    .await
}

/// Fetches the zip, checks it, and unpacks it if asked to.
pub(super) async fn fetch(
    client: &Client,
    job: JobId,
    output: Option<&Path>,
    folder: Option<&Path>,
    json: bool,
) -> Result<(), Failure> {
    let path = output.map_or_else(|| PathBuf::from(format!("{job}.zip")), Path::to_owned);
    let bar = (out::is_terminal() && !json).then(|| {
        let style = ProgressStyle::with_template("{spinner:.cyan} {bytes}/{total_bytes} {wide_msg}");
        let bar = ProgressBar::no_length();
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar
    });
    let fetched = client.download(job, &path, |bytes, total| {
        if let Some(bar) = &bar {
            bar.set_position(bytes);
            if let Some(total) = total {
                bar.set_length(total);
            }
        }
    });
    let fetched = fetched.await;
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let fetched = fetched?;
    let files = folder.map(|folder| extract(&fetched.path, folder)).transpose()?;
    if json {
        out::json(&json!({
            "path": fetched.path,
            "size": fetched.size_bytes,
            "sha256": fetched.sha256,
            "extracted": folder,
            "files": files,
        }));
        return Ok(());
    }
    out::line(&format!(
        "  {}  {} bytes",
        fetched.path.display(),
        grouped(fetched.size_bytes)
    ));
    out::line(&format!("  sha256     {} (as published)", fetched.sha256));
    if let (Some(folder), Some(files)) = (folder, files) {
        out::line(&format!("  unpacked   {files} files into {}", folder.display()));
    }
    Ok(())
}
