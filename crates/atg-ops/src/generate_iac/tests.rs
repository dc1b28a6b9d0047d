//! Code from a small scanned tenant, published as a zip.

use std::io::{Cursor, Read as _};
use std::sync::Arc;

use atg_db::ArtifactStore as _;
use atg_iac::OutputFile;
use atg_jobs::{Finished, Operation as _, OperationError};
use atg_models::api::{GenerateIacRequest, GenerateIacResult, IacFormat, ImportStrategy};
use atg_models::graph::Verdict;
use atg_models::{ErrorCode, JobId, JobKind, TenantId};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{GenerateIacOperation, target};
use crate::archive;
use crate::testing::{Fault, ONE, ONE_B, SCAN, Script, Store, TENANT, TWO, World};

const CODE: JobId = JobId::new(JobKind::GenerateIac, Uuid::from_u128(7));
const MORE_CODE: JobId = JobId::new(JobKind::GenerateIac, Uuid::from_u128(8));

async fn generate(
    store: &Store,
    job: JobId,
    request: GenerateIacRequest,
) -> Result<Finished<GenerateIacResult>, OperationError> {
    GenerateIacOperation::new(store.graph())
        .run(&store.context(job), request)
        .await
}

fn of_tenant() -> GenerateIacRequest {
    GenerateIacRequest {
        tenant_id: Some(TENANT.to_string()),
        ..GenerateIacRequest::default()
    }
}

async fn bytes_of(mut stream: atg_db::ByteStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    bytes
}

fn error_code(end: &Result<Finished<GenerateIacResult>, OperationError>) -> Option<ErrorCode> {
    match end {
        Err(OperationError::Fatal(error)) => Some(error.code),
        Ok(_) | Err(OperationError::Retryable(_) | OperationError::Stopped | OperationError::Store(_)) => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_graphs_give_equal_zips_that_hold_what_is_listed() {
    let mut hashes = Vec::new();
    for (scan, code) in [(SCAN, CODE), (JobId::new(JobKind::Scan, Uuid::from_u128(9)), MORE_CODE)] {
        let store = Store::new();
        let digest = store.scan(scan, &World::small(), &Script::default()).await.graph_digest;
        let Finished { outcome, artifact } = generate(&store, code, of_tenant()).await.unwrap();
        let artifact = artifact.unwrap();
        assert_eq!(outcome.resources_in, outcome.emitted + outcome.reported);
        assert_eq!(outcome.based_on.scan_id, Some(scan));
        assert_eq!(outcome.based_on.based_on.graph_digest, digest);
        let zip = bytes_of(store.stores.artifacts.open(artifact.name(code), None).await.unwrap()).await;
        assert_eq!(archive::hex(&Sha256::digest(&zip)), artifact.sha256);
        let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        assert_eq!(zip.len(), artifact.files.len());
        for (at, listed) in artifact.files.iter().enumerate() {
            let mut file = zip.by_index(at).unwrap();
            assert_eq!(file.name(), listed.path);
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            assert_eq!(content.len(), usize::try_from(listed.size_bytes).unwrap());
            assert_eq!(archive::hex(&Sha256::digest(&content)), listed.sha256);
        }
        hashes.push(artifact.sha256);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_scan_shows_in_what_rests_on_it() {
    let store = Store::new();
    let script = Script::default().with(ONE_B, 0, &[Fault::Failed]);
    store.scan(SCAN, &World::small(), &script).await;
    let outcome = generate(&store, CODE, of_tenant()).await.unwrap().outcome;
    let based_on = outcome.based_on.based_on;
    assert_eq!(based_on.verdict, Verdict::Partial);
    assert_eq!(based_on.gaps[0].collection.scope(), ONE);
    assert_eq!(outcome.notes.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_did_not_end_is_partial() {
    let store = Store::new();
    let script = Script::default().with(ONE_B, 0, &[Fault::Fatal]);
    let context = store.context(SCAN);
    let request = atg_models::api::ScanRequest::new(TENANT);
    let end = store.attempt(&context, &World::small(), &script, request).await;
    assert!(end.is_err());
    let based_on = generate(&store, CODE, of_tenant()).await.unwrap().outcome.based_on;
    assert_eq!((based_on.based_on.verdict, based_on.ended_at), (Verdict::Partial, None));
    assert!(!based_on.based_on.gaps.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_named_or_the_only_one() {
    let store = Store::new();
    let nameless = GenerateIacRequest::default;
    let named = |name: &str| GenerateIacRequest {
        tenant_id: Some(name.to_owned()),
        ..GenerateIacRequest::default()
    };
    for request in [nameless(), of_tenant(), named("contoso")] {
        let end = generate(&store, CODE, request).await;
        assert_eq!(error_code(&end), Some(ErrorCode::TenantNotFound), "{end:?}");
    }
    store.scan(SCAN, &World::small(), &Script::default()).await;
    assert!(generate(&store, CODE, nameless()).await.is_ok());
    let other = generate(&store, CODE, named("22222222-2222-2222-2222-222222222222")).await;
    assert_eq!(error_code(&other), Some(ErrorCode::TenantNotFound), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_is_published_with_its_media_types() {
    let store = Store::new();
    store.scan(SCAN, &World::small(), &Script::default()).await;
    for (at, (format, main, media_type)) in [
        (IacFormat::Terraform, "providers.tf", "text/x-hcl"),
        (IacFormat::Arm, "main.json", "application/json"),
        (IacFormat::Bicep, "main.bicep", "text/plain; charset=utf-8"),
    ]
    .into_iter()
    .enumerate()
    {
        let job = JobId::new(JobKind::GenerateIac, Uuid::from_u128(20 + u128::try_from(at).unwrap()));
        let request = GenerateIacRequest { format, ..of_tenant() };
        let Finished { outcome, artifact } = generate(&store, job, request).await.unwrap();
        assert_eq!(outcome.format, format);
        assert!(outcome.emitted > 0);
        let files = artifact.unwrap().files;
        let file = files.iter().find(|file| file.path == main);
        let file = file.unwrap_or_else(|| panic!("no {main} in {files:?}"));
        assert_eq!(file.content_type, media_type);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packing_stops_when_nobody_reads_on() {
    let file = |path: &str| OutputFile {
        path: path.to_owned(),
        // Does not compress, so that it fills more chunks than may wait.
        bytes: (0..32_000_u32)
            .flat_map(|n| Sha256::digest(n.to_le_bytes()).to_vec())
            .collect(),
        content_type: "text/plain",
    };
    let files = Arc::new(archive::sorted(vec![file("b.tf"), file("a.tf")]));
    assert_eq!(files[0].path, "a.tf");
    let mut stream = archive::stream(Arc::clone(&files));
    assert!(stream.next().await.is_some());
    drop(stream);
    let let_go = async {
        while Arc::strong_count(&files) > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), let_go)
        .await
        .expect("the packer has stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_graph_holds_of_another_target_is_known_to_selective_imports() {
    let store = Store::new();
    store.scan(SCAN, &World::small(), &Script::default()).await;
    let other = TenantId::new(Uuid::from_u128(0x22));
    let request = GenerateIacRequest {
        target_tenant_id: Some(TENANT),
        target_subscription: Some(TWO.parse().unwrap()),
        auto_import_existing: true,
        import_strategy: ImportStrategy::Selective,
        ..GenerateIacRequest::default()
    };
    let known = |request: GenerateIacRequest, source| {
        let (graph, context) = (store.graph(), store.context(CODE));
        async move { target::known(&context, &graph, &request, source).await.unwrap() }
    };
    let ids = known(request.clone(), other).await.unwrap();
    assert_eq!(ids.len(), 4, "the subscription, its group, two accounts: {ids:?}");
    assert!(ids.iter().all(|id| id.contains(TWO)), "{ids:?}");
    assert_eq!(
        known(request.clone(), TENANT).await,
        None,
        "the same tenant's snapshot says it"
    );
    let unread = GenerateIacRequest {
        target_tenant_id: Some(other),
        ..request.clone()
    };
    assert_eq!(known(unread, TENANT).await, None, "nothing is stored of it");
    let all = GenerateIacRequest {
        import_strategy: ImportStrategy::AllResources,
        ..request
    };
    assert_eq!(known(all, other).await, None, "nobody asks");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_options_could_not_do_is_in_the_notes() {
    let store = Store::new();
    store.scan(SCAN, &World::small(), &Script::default()).await;
    let request = GenerateIacRequest {
        target_subscription: Some("66666666-6666-4666-8666-666666666666".parse().unwrap()),
        resource_filters: Some(format!("subscription={ONE} & !name=a1").parse().unwrap()),
        auto_import_existing: true,
        import_strategy: ImportStrategy::Selective,
        ..of_tenant()
    };
    let outcome = generate(&store, CODE, request).await.unwrap().outcome;
    assert_eq!(outcome.resources_in, 5);
    let warning = "warning: auto_import_existing: import blocks: nothing is known of what the target holds";
    assert!(
        outcome.notes.iter().any(|note| note.starts_with(warning)),
        "{:?}",
        outcome.notes
    );
}
