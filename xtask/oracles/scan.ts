// Runs a scan with the TypeScript client that openapi-generator has made, and reads its result.

import { Configuration, JobResponseFromJSON, JobsApi, OperationsApi, ResponseError } from "./index";

const JOB_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

function holds(condition: boolean, what: unknown): void {
  if (!condition) throw new Error(JSON.stringify(what));
}

async function main(): Promise<void> {
  const configuration = new Configuration({
    basePath: setting("ATG_SERVICE_URL"),
    accessToken: setting("ATG_API_KEY"),
  });
  const jobs = new JobsApi(configuration);
  const operations = new OperationsApi(configuration);
  // The generator knows one success of an operation: the 200 of `Prefer: wait`. Without it the answer is the 202.
  const answer = await jobs.startScanRaw({ scanRequest: { tenantId: setting("TENANT_ID") } });
  holds(answer.raw.status === 202, answer.raw.status);
  const taken = JobResponseFromJSON(await answer.raw.json());
  const jobId = taken.jobId;
  const deadline = Date.now() + JOB_TIMEOUT_MS;
  while (["queued", "running"].includes((await jobs.getScan({ jobId })).status)) {
    holds(Date.now() < deadline, "the scan did not end in time");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const found = await operations.getOperationResult({ jobId });
  holds(found.status === "completed", found);
  const result = found.result as { verdict: string; nodes: number; edges: number };
  holds(result.verdict === "complete" && result.nodes > 0, found);
  const listed = await operations.listOperations({ operationType: "scan" });
  holds(listed.some((job) => job.jobId === jobId), listed);
  try {
    await jobs.getScan({ jobId: "scan-00000000-0000-7000-8000-000000000000" });
    holds(false, "a job that is not there was found");
  } catch (refused) {
    if (!(refused instanceof ResponseError) || refused.response.status !== 404) throw refused;
  }
  console.log(`  typescript: ${jobId} completed, ${result.nodes} nodes, ${result.edges} edges`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
