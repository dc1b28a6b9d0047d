"""schemathesis against a running server: every operation of the OpenAPI document, valid and invalid requests.

The number of requests is fixed and their choice is seeded. Fails when an operation never succeeds, on a status
that is not documented, on a 5xx other than a documented 503, and on an answer that its schema does not describe.
"""

import argparse
import base64
import collections
import json
import os
import socket
import sys
import time
import urllib.parse

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# Of one request, in seconds; nothing here waits longer than `Prefer: wait=1`.
TIMEOUT = 30
# Until a job has ended, in seconds.
JOB_TIMEOUT = 120
POLL_SECONDS = 0.1
# Every so many valid requests ask for something that is there.
EVERY = 2
# Every so many cancellations find a job that has not ended.
CANCEL_EVERY = 10


class Server:
    """What the requests are sent to, and what is stored there."""

    def __init__(self, url, key, tenant):
        self.url = url
        self.tenant = tenant
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"
        self.jobs = {
            "getScan": self.finished("/api/v1/scan"),
            "getGenerateIac": self.finished("/api/v1/generate-iac"),
            "getGenerateSpec": self.finished("/api/v1/generate-spec"),
        }

    def start(self, path):
        answer = self.session.post(self.url + path, json={"tenant_id": self.tenant}, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()["job_id"]

    def finished(self, path):
        job = self.start(path)
        deadline = time.monotonic() + JOB_TIMEOUT
        while time.monotonic() < deadline:
            status = self.session.get(f"{self.url}/api/v1/operations/{job}", timeout=TIMEOUT).json()
            if status["status"] == "completed":
                return job
            if status["status"] in ("failed", "cancelled"):
                sys.exit(f"{job} did not complete: {status}")
            time.sleep(POLL_SECONDS)
        sys.exit(f"{job} did not end in time")

    def handshake(self, job):
        """The status of a WebSocket handshake, which no HTTP client makes."""
        address = urllib.parse.urlsplit(self.url)
        with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT) as stream:
            key = base64.b64encode(os.urandom(16)).decode()
            stream.sendall(
                f"GET /ws/progress/{job} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                f"Authorization: {self.session.headers['Authorization']}\r\n\r\n".encode()
            )
            return int(stream.recv(64).split()[1])


def aimed(server, operation, case, number):
    """Lets a valid request ask for something that is there."""
    name = operation.definition.raw["operationId"]
    parameters = case.path_parameters
    if "job_id" in parameters:
        fresh = name == "cancelOperation" and number % CANCEL_EVERY == 0
        job = server.start("/api/v1/scan") if fresh else server.jobs.get(name, server.jobs["getGenerateIac"])
        parameters["job_id"] = job
    if "path" in parameters:
        parameters["path"] = "REPORT.md"
    if isinstance(case.body, dict) and name != "createWsTicket":
        case.body["tenant_id"] = server.tenant
    elif isinstance(case.body, dict):
        case.body["job_id"] = server.jobs["getScan"]


def bounded(case):
    """No request is held by the server for longer than a second."""
    for name in list(case.headers or {}):
        if name.lower() == "prefer":
            case.headers[name] = "wait=1"


def documented(operation):
    return {str(status) for status in operation.definition.raw["responses"]}


def walk(server, operation, mode, count, base_seed, report):
    name = operation.definition.raw["operationId"]
    row = report[name]
    numbers = iter(range(count))

    @seed(base_seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case):
        number = next(numbers, None)
        if number is None:
            return
        bounded(case)
        if mode is GenerationMode.POSITIVE and number % EVERY == 0:
            aimed(server, operation, case, number)
        judged(server, operation, case, row)

    send()


def judged(server, operation, case, row):
    row["cases"] += 1
    answer = case.call(base_url=server.url, session=server.session, timeout=TIMEOUT, allow_redirects=False)
    row["statuses"][str(answer.status_code)] += 1
    problems = []
    if answer.status_code >= 500 and not (answer.status_code == 503 and "503" in documented(operation)):
        problems.append(f"{answer.status_code}: {answer.text[:500]}")
    try:
        case.validate_response(answer, checks=CHECKS)
    except Exception as error:  # a group of failed checks, or one
        parts = getattr(error, "exceptions", [error])
        problems += [str(part) for part in parts]
    if problems:
        request = answer.request
        sent = f"{request.method} {request.url} {(request.body or b'')[:500]!r}"
        row["problems"].append({"sent": sent, "status": answer.status_code, "problems": problems})


def sure_successes(server, operations, report):
    """What chance does not find: the handshake, an event stream, and the removal, which ends the rest."""

    def note(name, status):
        report[name]["cases"] += 1
        report[name]["statuses"][str(status)] += 1

    job = server.jobs["getGenerateIac"]
    note("openProgressSocket", server.handshake(job))
    path = f"{server.url}/api/v1/operations/{job}/events"
    stream = server.session.get(path, headers={"Accept": "text/event-stream"}, timeout=TIMEOUT)
    if stream.headers["Content-Type"] != "text/event-stream" or "event" not in stream.text and "data" not in stream.text:
        report["listOperationEvents"]["problems"].append({"sent": path, "problems": ["no event stream"]})
    note("listOperationEvents", stream.status_code)
    removal = operations["removeTenant"].Case(path_parameters={"tenant_id": server.tenant})
    judged(server, operations["removeTenant"], removal, report["removeTenant"])


def verdict(report):
    problems = []
    for name, row in report.items():
        if not any(status == "101" or status.startswith("2") for status in row["statuses"]):
            problems.append(f"{name} never succeeded: {dict(row['statuses'])}")
        for found in row["problems"]:
            problems.append(f"{name}: {json.dumps(found, ensure_ascii=True)}")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--document", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--tenant", required=True)
    parser.add_argument("--cases", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()

    server = Server(options.url, os.environ["ATG_API_KEY"], options.tenant)
    schema = schemathesis.openapi.from_path(options.document)
    operations = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        operations[operation.definition.raw["operationId"]] = operation
    report = {name: {"cases": 0, "statuses": collections.Counter(), "problems": []} for name in operations}
    # Those that can be asked in one way only come first, so that the rest of their share is left to the others.
    # What removes a tenant comes last: the others ask for what is stored.
    def place_of(name):
        raw = operations[name].definition.raw
        return name == "removeTenant", "parameters" in raw or "requestBody" in raw

    order = sorted(operations, key=place_of)
    left = options.cases
    for place, name in enumerate(order):
        share = -(-left // (len(order) - place))
        before = report[name]["cases"]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            wanted = share - (report[name]["cases"] - before)
            count = -(-wanted // 2) if mode is GenerationMode.POSITIVE else wanted
            if count > 0:
                try:
                    walk(server, operations[name], mode, count, options.seed, report)
                except Unsatisfiable:
                    # Nothing of such an operation can be invalid.
                    if mode is GenerationMode.POSITIVE:
                        raise
        left -= report[name]["cases"] - before
    sure_successes(server, operations, report)

    for name, row in report.items():
        statuses = ", ".join(f"{status} × {count}" for status, count in sorted(row["statuses"].items()))
        print(f"| {name} | {row['cases']} | {statuses} | {len(row['problems'])} |")
    print(f"total: {sum(row['cases'] for row in report.values())} cases, seed {options.seed}")
    problems = verdict(report)
    for problem in problems[:40]:
        print(f"  {problem}", file=sys.stderr)
    sys.exit(f"{len(problems)} problems" if problems else 0)


if __name__ == "__main__":
    main()
