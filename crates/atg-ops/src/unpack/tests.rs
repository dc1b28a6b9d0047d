//! Files come out of a zip as they went in, whole and in part.

use std::io::Write as _;

use atg_db::{ArtifactStore as _, ObjectArtifacts, StoreError};
use atg_models::job::ArtifactName;
use atg_models::{Fence, JobId, JobKind};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use uuid::Uuid;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{find, open};

const NAME: ArtifactName = ArtifactName {
    job: JobId::new(JobKind::GenerateIac, Uuid::from_u128(1)),
    lease: Fence::new(1),
};

/// Text that packs well, and bytes that do not; more than a chunk of each.
fn files() -> Vec<(String, CompressionMethod, Vec<u8>)> {
    let mut noise = 1_u32;
    let noise = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.to_be_bytes()[0]
    });
    let noise: Vec<u8> = noise.take(200_000).collect();
    let text: Vec<u8> = (0..30_000)
        .flat_map(|line| format!("line {line}\n").into_bytes())
        .collect();
    vec![
        ("empty.txt".to_owned(), CompressionMethod::Deflated, Vec::new()),
        ("noise".to_owned(), CompressionMethod::Deflated, noise.clone()),
        (
            "modules/ä b/text.tf".to_owned(),
            CompressionMethod::Deflated,
            text.clone(),
        ),
        ("stored/noise".to_owned(), CompressionMethod::Stored, noise),
        ("stored/text".to_owned(), CompressionMethod::Stored, text),
    ]
}

fn packed(files: &[(String, CompressionMethod, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new_stream(Vec::new());
    for (path, method, content) in files {
        let options = SimpleFileOptions::default().compression_method(*method);
        zip.start_file(path.as_str(), options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

async fn stored(zip: Vec<u8>) -> (ObjectArtifacts, tempfile::TempDir, u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = ObjectArtifacts::in_folder(folder.path()).unwrap();
    let bytes = stream::iter([Ok(Bytes::from(zip))]).boxed();
    let (_, size) = store.put(NAME, bytes, u64::MAX).await.unwrap();
    (store, folder, size)
}

async fn part(
    store: &ObjectArtifacts,
    size: u64,
    path: &str,
    range: std::ops::Range<u64>,
) -> Result<Vec<u8>, StoreError> {
    let entry = find(store, NAME, size, path).await?.unwrap();
    let chunks: Vec<Bytes> = open(store, NAME, &entry, range).await?.try_collect().await?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn every_part_of_every_file() {
    let files = files();
    let (store, _folder, size) = stored(packed(&files)).await;
    for (path, _, content) in &files {
        let length = u64::try_from(content.len()).unwrap();
        let entry = find(&store, NAME, size, path).await.unwrap().unwrap();
        assert_eq!(entry.size_bytes(), length, "{path}");
        for range in [
            0..length,
            0..1,
            length / 2..length,
            length / 3..length / 2,
            70_000..70_001,
            length.saturating_sub(1)..length,
        ] {
            if range.end > length || range.start > range.end {
                continue;
            }
            let expected = &content[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
            let found = part(&store, size, path, range.clone()).await.unwrap();
            assert!(found == expected, "{path} {range:?}: {} bytes", found.len());
        }
    }
    for path in ["", "noise ", "stored", "stored/", "../noise", "NOISE"] {
        assert_eq!(find(&store, NAME, size, path).await.unwrap(), None, "{path:?}");
    }
}

#[tokio::test]
async fn the_directory_of_many_files_is_read_in_chunks() {
    let files: Vec<_> = (0..2_000)
        .map(|number| {
            (
                format!("folder/file-{number:05}.tf"),
                CompressionMethod::Deflated,
                vec![b'x'; number % 7],
            )
        })
        .collect();
    let (store, _folder, size) = stored(packed(&files)).await;
    for number in [0, 1_000, 1_999] {
        let (path, _, content) = &files[number];
        let length = u64::try_from(content.len()).unwrap();
        assert_eq!(&part(&store, size, path, 0..length).await.unwrap(), content);
    }
}

#[tokio::test]
async fn a_changed_byte_is_an_error_and_never_other_content() {
    let files = files();
    let zip = packed(&files);
    let (path, _, content) = &files[2];
    let length = u64::try_from(content.len()).unwrap();
    for at in (0..zip.len()).step_by(zip.len() / 60) {
        let mut changed = zip.clone();
        changed[at] ^= 0x55;
        let (store, _folder, size) = stored(changed).await;
        let found = async {
            let Some(entry) = find(&store, NAME, size, path).await? else {
                return Ok(None);
            };
            let length = length.min(entry.size_bytes());
            let chunks: Vec<Bytes> = open(&store, NAME, &entry, 0..length).await?.try_collect().await?;
            Ok::<_, StoreError>(Some(chunks.concat()))
        };
        if let Ok(Some(found)) = found.await {
            assert!(found == *content, "byte {at}");
        }
    }
}

#[tokio::test]
async fn what_is_no_zip_is_refused() {
    for bytes in [Vec::new(), b"PK".to_vec(), vec![0; 1_000]] {
        let (store, _folder, size) = stored(bytes).await;
        let outcome = find(&store, NAME, size, "x").await;
        assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "{outcome:?}");
    }
}
