//! Moving between stores, for the tests of both backends.

use std::io::Cursor;

use crate::moving::{Export, Import, Imported, Manifest, MoveError, MoveSource, MoveTarget, PartEnd};
use crate::{ArtifactStore, ObjectArtifacts};

use super::world::at;

/// An export as bytes, without artifacts.
pub async fn exported(source: &dyn MoveSource) -> Result<(Vec<u8>, Manifest), MoveError> {
    let export = Export {
        source,
        artifacts: None,
        made_at: at(0),
        said: &mut |_, _| {},
    };
    let exported = export.write(Vec::new()).await?;
    Ok((exported.out, exported.manifest))
}

/// As [`exported`], with artifacts.
pub async fn exported_with(source: &dyn MoveSource, artifacts: &dyn ArtifactStore) -> (Vec<u8>, Manifest) {
    let export = Export {
        source,
        artifacts: Some(artifacts),
        made_at: at(0),
        said: &mut |_, _| {},
    };
    let exported = export.write(Vec::new()).await.unwrap();
    (exported.out, exported.manifest)
}

/// Takes in an export.
pub async fn imported(target: &dyn MoveTarget, file: &[u8]) -> Result<Imported, MoveError> {
    let folder = std::env::temp_dir();
    let nowhere = ObjectArtifacts::in_folder(&folder).unwrap();
    imported_with(target, &nowhere, file).await
}

/// As [`imported`], with a place for artifacts.
pub async fn imported_with(
    target: &dyn MoveTarget,
    artifacts: &dyn ArtifactStore,
    file: &[u8],
) -> Result<Imported, MoveError> {
    let import = Import {
        target,
        artifacts,
        said: &mut |_, _, _| {},
    };
    import.read(Cursor::new(file)).await
}

/// What two exports must have in common: all parts, whichever store they are of.
pub async fn parts(source: &dyn MoveSource) -> Vec<PartEnd> {
    exported(source).await.unwrap().1.parts
}

/// The file without its last line: all that it holds comes over before it is seen to be cut. A small file that is
/// simply cut is not even begun, because it is compressed in one piece.
pub fn without_end(file: &[u8]) -> Vec<u8> {
    let text = zstd::decode_all(file).unwrap();
    let last = text.len() - 1;
    let end = text[..last].iter().rposition(|byte| *byte == b'\n').unwrap();
    zstd::encode_all(&text[..=end], 0).unwrap()
}
