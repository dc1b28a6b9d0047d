//! Cases of the contract: what is read, what is refused, what is printed.

use serde_json::{Value, json};
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::error_code::ErrorCode;
use crate::ids::{Fence, JobId, JobKind, Seq, TenantId};
use crate::job::{
    ArtifactFile, ArtifactInfo, EventBody, JobError, JobEvent, JobRecord, JobState, LogLevel, MachineState, OnCrash,
    Progress, TenantUse,
};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const JOB: &str = "scan-01890a5d-ac96-774b-bcce-b302099a8057";

fn refused<T: ApiRequest + std::fmt::Debug>(body: &Value) -> (ErrorCode, Vec<(String, String)>) {
    let error = T::from_value(body).unwrap_err();
    let fields = error.fields().iter();
    (
        error.code(),
        fields
            .map(|error| (error.field.clone(), error.message.clone()))
            .collect(),
    )
}

fn rule(field: &str, message: &str) -> (ErrorCode, Vec<(String, String)>) {
    (ErrorCode::InvalidRequest, vec![(field.to_owned(), message.to_owned())])
}

/// What is stored as job parameters reads back, by the rules and by serde, and holds no field that
/// the rules do not know.
fn reads_back<T: ApiRequest + PartialEq + std::fmt::Debug>(body: &Value) -> T {
    let request = T::from_value(body).unwrap();
    let stored = serde_json::to_value(&request).unwrap();
    assert_eq!(T::from_value(&stored).unwrap(), request);
    assert_eq!(serde_json::from_value::<T>(stored).unwrap(), request);
    request
}

#[test]
fn a_scan_needs_a_tenant_only() {
    let request: ScanRequest = reads_back(&json!({ "tenant_id": TENANT }));
    assert_eq!(request, ScanRequest::new(TENANT.parse().unwrap()));
    assert!(request.filters().is_unfiltered());
    assert_eq!(
        refused::<ScanRequest>(&json!({})),
        rule("tenant_id", "is required and must be a valid UUID")
    );
    assert_eq!(
        refused::<ScanRequest>(&json!({"tenant_id": "x"})),
        rule("tenant_id", "must be a valid UUID")
    );
}

#[test]
fn a_scan_with_every_field_reads_back() {
    let request: ScanRequest = reads_back(&json!({
        "tenant_id": TENANT, "resource_limit": 10, "max_llm_threads": 20, "max_build_threads": 50, "max_retries": 0,
        "max_concurrency": 200, "generate_spec": true, "visualize": true, "rebuild_edges": true,
        "no_aad_import": true, "filter_by_subscriptions": "AAAAAAAA-1111-1111-1111-111111111111",
        "filter_by_rgs": "RG-Web, rg-data", "filter_by_types": "Microsoft.Network/virtualNetworks",
        "filter_by_tags": "Env=Prod,owner", "mode": "incremental",
    }));
    let filters = request.filters();
    assert_eq!(filters.subscriptions, ["aaaaaaaa-1111-1111-1111-111111111111"]);
    assert_eq!(filters.resource_groups, ["rg-data", "rg-web"]);
    assert_eq!(filters.types, ["microsoft.network/virtualnetworks"]);
    let tags = [("env".to_owned(), Some("Prod".to_owned())), ("owner".to_owned(), None)];
    assert_eq!(filters.tags, tags);
    assert_eq!((filters.no_directory, filters.resource_limit), (true, Some(10)));
}

#[test]
fn a_scan_tells_every_violated_rule_and_every_unknown_field() {
    let (code, fields) = refused::<ScanRequest>(&json!({
        "tenant_id": TENANT, "resource_limit": 0, "max_llm_threads": 21, "max_build_threads": 0, "max_retries": 11,
        "max_concurrency": 201, "filter_by_subscriptions": "x", "filter_by_rgs": "", "filter_by_types": "a",
        "filter_by_tags": "=", "mode": "fast", "zap": 1, "zip": null,
    }));
    assert_eq!(code, ErrorCode::InvalidRequest);
    let names: Vec<_> = fields.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        names,
        [
            "resource_limit",
            "max_llm_threads",
            "max_build_threads",
            "max_retries",
            "max_concurrency",
            "filter_by_subscriptions",
            "filter_by_rgs",
            "filter_by_types",
            "filter_by_tags",
            "mode",
            "zap",
            "zip"
        ]
    );
}

#[test]
fn a_wrong_type_is_malformed_and_alone() {
    let (code, fields) = refused::<ScanRequest>(&json!({"tenant_id": 1, "max_retries": "3", "zap": 1}));
    assert_eq!(code, ErrorCode::MalformedJson);
    assert_eq!(fields, [("tenant_id".to_owned(), "must be a string".to_owned())]);
    let (code, fields) = refused::<ScanRequest>(&json!([1]));
    assert_eq!((code, fields[0].0.as_str()), (ErrorCode::MalformedJson, "body"));
}

#[test]
fn a_body_that_is_no_json_is_malformed() {
    for body in ["", "  ", "{", "{\"tenant_id\":}", "null"] {
        let error = ScanRequest::from_json(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MalformedJson, "{body:?}");
    }
}

#[test]
fn an_error_response_lists_the_fields() {
    let error = ScanRequest::from_value(&json!({"tenant_id": "x"})).unwrap_err();
    assert_eq!(
        serde_json::to_value(error.response()).unwrap(),
        json!({"error": {
            "code": "INVALID_REQUEST",
            "message": "tenant_id must be a valid UUID",
            "details": {"fields": [{"field": "tenant_id", "message": "must be a valid UUID"}]},
        }})
    );
}

#[test]
fn code_can_be_asked_for_by_either_name() {
    let request: GenerateIacRequest = reads_back(&json!({"output_format": "bicep"}));
    assert_eq!(request.format, IacFormat::Bicep);
    let request: GenerateIacRequest = reads_back(&json!({"format": "arm"}));
    assert_eq!(request.format, IacFormat::Arm);
    assert_eq!(
        refused::<GenerateIacRequest>(&json!({"format": "arm", "output_format": "arm"})),
        rule("output_format", "is another name for format: give only one of them")
    );
    assert_eq!(
        refused::<GenerateIacRequest>(&json!({"format": "pulumi"})),
        rule("format", "must be one of terraform, arm, bicep")
    );
}

#[test]
fn code_generation_reads_back_with_every_field() {
    let request: GenerateIacRequest = reads_back(&json!({
        "tenant_id": "unknown but a text", "target_tenant_id": TENANT, "target_subscription": TENANT,
        "format": "terraform", "auto_import_existing": true, "import_strategy": "all_resources",
        "auto_register_providers": true, "auto_fix_subnets": true, "skip_subnet_validation": true,
        "resource_filters": "Microsoft.Network/virtualNetworks", "provider_version": "4", "naming_suffix": "copy-1",
        "location": "West Europe",
    }));
    assert_eq!(request.location.as_deref(), Some("westeurope"));
    assert_eq!(
        reads_back::<GenerateIacRequest>(&json!({})),
        GenerateIacRequest::default()
    );
    for (field, wrong) in [
        ("tenant_id", json!("x".repeat(257))),
        ("tenant_id", json!("")),
        ("target_tenant_id", json!("x")),
        ("provider_version", json!("3")),
        ("naming_suffix", json!("UP")),
        ("naming_suffix", json!("${x}")),
        ("location", json!("a/b")),
        ("resource_filters", json!("a,,b")),
    ] {
        let (code, fields) = refused::<GenerateIacRequest>(&json!({ field: wrong }));
        assert_eq!((code, fields[0].0.as_str()), (ErrorCode::InvalidRequest, field));
    }
}

#[test]
fn the_other_requests_hold_their_rules() {
    reads_back::<GenerateSpecRequest>(
        &json!({"tenant_id": TENANT, "domain_name": "contoso.com", "limit": 1, "hierarchical": true}),
    );
    reads_back::<CreateTenantRequest>(&json!({"markdown_spec": "# Contoso"}));
    reads_back::<VisualizeRequest>(&json!({"tenant_id": TENANT, "link_hierarchy": false, "output_path": "a.html"}));
    reads_back::<ThreatModelRequest>(&json!({"tenant_id": TENANT, "options": {"depth": 1}}));
    reads_back::<AgentModeRequest>(&json!({"tenant_id": TENANT, "question": "Which?"}));
    reads_back::<TicketRequest>(&json!({ "job_id": JOB }));
    assert!(reads_back::<VisualizeRequest>(&json!({})).link_hierarchy);
    for path in ["", "a/b", "..", "a..b", "c:\\x", "."] {
        let (_, fields) = refused::<VisualizeRequest>(&json!({ "output_path": path }));
        assert_eq!(fields.len(), 1, "{path}");
    }
    assert_eq!(
        refused::<CreateTenantRequest>(&json!({})),
        rule("markdown_spec", "is required")
    );
    assert_eq!(
        refused::<CreateTenantRequest>(&json!({"markdown_spec": null})),
        rule("markdown_spec", "is required")
    );
    assert_eq!(
        refused::<CreateTenantRequest>(&json!({"markdown_spec": " "})),
        rule("markdown_spec", "must not be blank")
    );
    assert_eq!(
        refused::<AgentModeRequest>(&json!({"question": "ä".repeat(4001)}))
            .1
            .len(),
        1
    );
    assert!(AgentModeRequest::from_value(&json!({"question": "ä".repeat(4000)})).is_ok());
    assert_eq!(refused::<TicketRequest>(&json!({})), rule("job_id", "is required"));
    assert_eq!(
        refused::<GenerateSpecRequest>(&json!({"limit": 0})),
        rule("limit", "must be greater than 0")
    );
}

#[test]
fn a_request_built_in_code_is_checked_by_the_same_rules() {
    let tenant = TenantId::new(Uuid::from_u128(1));
    let mut request = ScanRequest::new(tenant);
    assert!(request.clone().checked().is_ok());
    request.max_concurrency = 0;
    assert_eq!(
        request.checked().unwrap_err().to_string(),
        "max_concurrency must be between 1 and 200"
    );
}

fn record(state: JobState) -> JobRecord {
    let created_at = datetime!(2026-01-02 03:04:05 UTC);
    JobRecord {
        id: JOB.parse().unwrap(),
        tenant: TENANT.to_owned(),
        tenant_use: TenantUse::Exclusive,
        on_crash: OnCrash::Rerun,
        key_prefix: "00000000".to_owned(),
        params: json!({}),
        machine: MachineState {
            state,
            attempt: 1,
            ..MachineState::new(created_at)
        },
        progress: None,
        result: None,
        artifact: None,
        created_at,
        started_at: None,
        updated_at: created_at,
        completed_at: None,
    }
}

#[test]
fn a_status_has_every_field_and_the_wires_words() {
    let mut job = record(JobState::Cancelling);
    job.progress = Some(Progress {
        phase: "resources".to_owned(),
        percent: 101.0,
        total_subscriptions: Some(2),
        ..Progress::default()
    });
    assert_eq!(
        serde_json::to_value(JobStatusResponse::from(&job)).unwrap(),
        json!({
            "job_id": JOB, "operation_type": "scan", "status": "running", "tenant_id": TENANT,
            "progress": {"phase": "resources", "current_subscription": null, "total_subscriptions": 2,
                "resources_discovered": null, "percent_complete": 100.0},
            "created_at": "2026-01-02T03:04:05.000Z", "started_at": null, "updated_at": "2026-01-02T03:04:05.000Z",
            "completed_at": null, "attempt": 1, "cancel_requested": true, "error": null,
        })
    );
}

#[test]
fn states_and_statuses_agree() {
    for status in JobStatus::ALL {
        for state in status.states() {
            assert_eq!(JobStatus::from(*state), status);
            assert_eq!(state.is_terminal(), status.is_terminal());
        }
        assert_eq!(JobStatus::from_wire(status.as_str()), Some(status));
        assert_eq!(serde_json::to_value(status).unwrap(), json!(status.as_str()));
    }
    assert_eq!(
        JobStatus::ALL.iter().map(|status| status.states().len()).sum::<usize>(),
        JobState::ALL.len()
    );
    for kind in JobKind::ALL {
        let operation = OperationType::from(kind);
        assert_eq!(serde_json::to_value(operation).unwrap(), json!(kind.as_str()));
        assert_eq!(JobKind::from(operation), kind);
    }
}

#[test]
fn a_result_names_its_files() {
    let mut job = record(JobState::Failed);
    job.machine.error = Some(JobError::new(ErrorCode::TenantNotFound, "nothing is stored"));
    job.artifact = Some(ArtifactInfo {
        lease: Fence::new(1),
        size_bytes: 1,
        sha256: String::new(),
        files: vec![ArtifactFile {
            path: "rg ä/main.tf".to_owned(),
            size_bytes: 7,
            sha256: "ab".to_owned(),
            content_type: "text/plain".to_owned(),
        }],
    });
    assert_eq!(
        serde_json::to_value(JobResultResponse::of(&job, "https://h/")).unwrap(),
        json!({
            "job_id": JOB, "status": "failed", "result": null,
            "files": [{"filename": "rg ä/main.tf", "size": 7, "sha256": "ab", "content_type": "text/plain",
                "download_url": format!("https://h/api/v1/operations/{JOB}/files/rg%20%C3%A4/main.tf")}],
            "error": {"code": "TENANT_NOT_FOUND", "message": "nothing is stored"},
        })
    );
}

#[test]
fn a_cancel_says_whether_the_job_has_stopped() {
    let answer = |state| serde_json::to_value(CancelResponse::of(&record(state))).unwrap();
    assert_eq!(
        answer(JobState::Cancelled),
        json!({"job_id": JOB, "status": "cancelled"})
    );
    assert_eq!(
        answer(JobState::Cancelling),
        json!({"job_id": JOB, "status": "running", "cancel_requested": true})
    );
}

fn frame(body: EventBody, options: FrameOptions) -> Value {
    let event = JobEvent {
        seq: Seq::new(7),
        at: datetime!(2026-01-02 03:04:05.678 UTC),
        body,
    };
    let frame = EventFrame::of(JOB.parse::<JobId>().unwrap(), &event, options).unwrap();
    let value = serde_json::to_value(&frame).unwrap();
    assert_eq!(
        serde_json::from_value::<EventFrame>(value.clone()).unwrap(),
        frame,
        "reads back"
    );
    value
}

#[test]
fn frames_have_exactly_the_contracts_fields() {
    const AT: &str = "2026-01-02T03:04:05.678Z";
    let plain = FrameOptions::default();
    let progress = || {
        EventBody::Progress(Progress {
            phase: "resources".to_owned(),
            message: "reading".to_owned(),
            percent: 45.5,
            current_subscription: None,
            total_subscriptions: Some(2),
            resources_discovered: Some(10),
        })
    };
    let short = json!({"type": "progress", "job_id": JOB, "progress": 45.5, "message": "reading", "timestamp": AT});
    assert_eq!(frame(progress(), plain), short);
    assert_eq!(
        frame(
            progress(),
            FrameOptions {
                detail: true,
                seq: true
            }
        ),
        json!({"type": "progress", "seq": 7, "job_id": JOB, "progress": 45.5, "message": "reading", "timestamp": AT,
            "phase": "resources", "percent": 45.5, "total_subscriptions": 2, "resources_discovered": 10})
    );
    let log = EventBody::Log {
        level: LogLevel::Info,
        message: "m".to_owned(),
    };
    assert_eq!(
        frame(log, plain),
        json!({"type": "log", "job_id": JOB, "level": "INFO", "message": "m", "timestamp": AT})
    );
    assert_eq!(
        frame(EventBody::Error(JobError::new(ErrorCode::Internal, "m")), plain),
        json!({"type": "error", "job_id": JOB, "error_code": "INTERNAL", "error_message": "m", "timestamp": AT})
    );
    let completion = EventBody::Completion {
        state: JobState::Succeeded,
        result: json!({"nodes": 1}),
    };
    assert_eq!(
        frame(completion, plain),
        json!({"type": "completion", "job_id": JOB, "status": "completed", "result": {"nodes": 1}, "timestamp": AT})
    );
    let at = datetime!(2026-01-02 03:04:05.678 UTC);
    let gap = EventFrame::gap(JOB.parse().unwrap(), Seq::new(1), Seq::new(5), at);
    assert_eq!(
        serde_json::to_value(gap).unwrap(),
        json!({"type": "gap", "job_id": JOB, "from": 1, "to": 5, "timestamp": AT})
    );
}

#[test]
fn a_late_reader_gets_the_error_and_the_completion() {
    let kinds = |job: &JobRecord| -> Vec<String> {
        let frames = EventFrame::of_end(job).into_iter();
        frames
            .map(|frame| {
                serde_json::to_value(frame).unwrap()["type"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    let mut failed = record(JobState::Failed);
    failed.machine.error = Some(JobError::new(ErrorCode::Internal, "m"));
    assert_eq!(kinds(&failed), ["error", "completion"]);
    assert_eq!(kinds(&record(JobState::Succeeded)), ["completion"]);
    assert!(kinds(&record(JobState::Running)).is_empty());
    let state = EventFrame::of_state(&record(JobState::Queued), FrameOptions::default());
    assert_eq!(serde_json::to_value(state).unwrap()["progress"], json!(0.0));
}
