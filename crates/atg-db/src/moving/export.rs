//! Writing all that a store keeps into a file.

use std::io::Write;

use atg_models::JobId;
use atg_models::job::ArtifactInfo;
use time::OffsetDateTime;

use super::artifacts;
use super::error::MoveError;
use super::line::{ArtifactHead, FORMAT, Header, Manifest, Part};
use super::record::{MovedJob, Record};
use super::write::{Tally, Writer};
use super::{MoveSource, Take};
use crate::ArtifactStore;

/// An export that is to be made.
pub struct Export<'e> {
    /// What is exported.
    pub source: &'e dyn MoveSource,
    /// Where artifacts lie, if they are to be in the file.
    pub artifacts: Option<&'e dyn ArtifactStore>,
    /// When.
    pub made_at: OffsetDateTime,
    /// Is told how many records of a part were written.
    pub said: &'e mut (dyn FnMut(Part, u64) + Send),
}

/// What was written.
pub struct Exported<W> {
    /// Where it went.
    pub out: W,
    /// What it holds.
    pub manifest: Manifest,
}

impl Export<'_> {
    /// Writes the file, in constant memory but for the names of artifacts.
    ///
    /// # Errors
    /// When a store or the file fails, or a store changed while it was read; the file is not whole then.
    pub async fn write<W: Write + Send>(self, out: W) -> Result<Exported<W>, MoveError> {
        let header = Header {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: self.made_at,
            store: self.source.store().to_owned(),
        };
        let said = self.said;
        let tenants = self.source.begin().await?;
        let mut writer = Writer::new(out, header)?;
        let mut published = Vec::new();
        for part in parts(tenants) {
            let mut tally = Tally::default();
            let mut count = 0;
            writer.begin(part)?;
            let graph_digest = hand_out(self.source, part, &mut |record| {
                if let Record::Job(job) = &record {
                    published.extend(artifact(job)?);
                }
                count += 1;
                said(part, count);
                writer.record(&mut tally, &record)
            })
            .await?;
            writer.end(tally.end(part, graph_digest))?;
        }
        for head in published {
            match self.artifacts {
                Some(store) => artifacts::write(&mut writer, store, head).await?,
                None => writer.leave_out(head),
            }
        }
        let (out, manifest) = writer.finish()?;
        Ok(Exported { out, manifest })
    }
}

/// The parts of a store, in their order: jobs first, so that what they call done is in the graph.
pub(super) fn parts(tenants: Vec<atg_models::TenantId>) -> impl Iterator<Item = Part> {
    [Part::Jobs, Part::Keys]
        .into_iter()
        .chain(tenants.into_iter().map(Part::Tenant))
}

/// The records of a part; of a tenant the digest of its graph, too.
pub(super) async fn hand_out(source: &dyn MoveSource, part: Part, take: Take<'_>) -> Result<Option<String>, MoveError> {
    match part {
        Part::Jobs => source.jobs(take).await.map(|()| None),
        Part::Keys => source.keys(take).await.map(|()| None),
        Part::Tenant(tenant) => source.tenant(tenant, take).await.map(Some),
    }
}

fn artifact(job: &MovedJob) -> Result<Option<ArtifactHead>, MoveError> {
    let Some(text) = &job.artifact else {
        return Ok(None);
    };
    let artifact: ArtifactInfo = serde_json::from_str(text).map_err(MoveError::not_whole)?;
    let id: JobId = job
        .id
        .parse()
        .map_err(|_| MoveError::not_whole(format!("the job id {:?}", job.id)))?;
    Ok(Some(ArtifactHead {
        job: id,
        lease: artifact.lease,
        size_bytes: artifact.size_bytes,
        sha256: artifact.sha256,
    }))
}
