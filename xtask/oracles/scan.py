"""Runs a scan with the Python client that openapi-generator has made, and reads its result."""

import os
import time

import atg_generated
from atg_generated.api.jobs_api import JobsApi
from atg_generated.api.operations_api import OperationsApi
from atg_generated.models.scan_request import ScanRequest

JOB_TIMEOUT_SECONDS = 120
POLL_SECONDS = 0.1

configuration = atg_generated.Configuration(
    host=os.environ["ATG_SERVICE_URL"], access_token=os.environ["ATG_API_KEY"]
)
with atg_generated.ApiClient(configuration) as client:
    jobs, operations = JobsApi(client), OperationsApi(client)
    taken = jobs.start_scan(ScanRequest(tenant_id=os.environ["TENANT_ID"]))
    deadline = time.monotonic() + JOB_TIMEOUT_SECONDS
    while jobs.get_scan(taken.job_id).status not in ("completed", "failed", "cancelled"):
        assert time.monotonic() < deadline, "the scan did not end in time"
        time.sleep(POLL_SECONDS)
    found = operations.get_operation_result(taken.job_id)
    assert found.status == "completed", found
    assert found.result["verdict"] == "complete", found
    assert found.result["nodes"] > 0, found
    listed = operations.list_operations(operation_type="scan")
    assert taken.job_id in [job.job_id for job in listed], listed
    try:
        jobs.get_scan("scan-00000000-0000-7000-8000-000000000000")
        raise AssertionError("a job that is not there was found")
    except atg_generated.exceptions.NotFoundException as refused:
        assert "NOT_FOUND" in refused.body, refused
    print(f"  python: {taken.job_id} completed, {found.result['nodes']} nodes, {found.result['edges']} edges")
