//! `GET /api/v1/operations/{job_id}/events`.

use atg_models::JobId;
use atg_sim::{Fault, FaultKind};
use atg_tests::{DEADLINE, Document, Setup, World, until};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::ws_progress::{connect, read_all};

fn path(job: JobId, query: &str) -> String {
    format!("/api/v1/operations/{job}/events{query}")
}

async fn page(world: &World, job: JobId, query: &str) -> Value {
    let response = world.get(&path(job, query)).await;
    assert_eq!(response.status(), 200, "{query}");
    let body = response.bytes().await.unwrap();
    let described = "/api/v1/operations/{job_id}/events";
    assert_eq!(Document::of_code().problem("get", described, 200, &body), None);
    serde_json::from_slice(&body).unwrap()
}

fn stream(world: &World, job: JobId, query: &str) -> RequestBuilder {
    world
        .request(Method::GET, &path(job, query))
        .header("Accept", "text/event-stream")
}

/// The blocks of a stream that ended, comments left out: name, id and data of each.
async fn blocks(response: Response) -> Vec<(String, u64, Value)> {
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = tokio::time::timeout(DEADLINE, response.text()).await.unwrap().unwrap();
    let blocks = text
        .split("\n\n")
        .filter(|block| !block.is_empty() && !block.starts_with(':'));
    blocks
        .map(|block| {
            let field = |name: &str| {
                let mut lines = block
                    .lines()
                    .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                lines.next().unwrap_or_default().to_owned()
            };
            let data = serde_json::from_str(&field("data")).unwrap();
            (field("event"), field("id").parse().unwrap(), data)
        })
        .collect()
}

async fn frames_of_socket(world: &World, job: JobId) -> Vec<Value> {
    let socket = connect(world, &format!("/ws/progress/{job}?after=0&detail=1"), true).await;
    read_all(&mut socket.unwrap()).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_stream_say_what_the_socket_says() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let frames = frames_of_socket(&world, job).await;
    for limit in [1, 3, 1000] {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let page = page(&world, job, &format!("?after={after}&limit={limit}&detail=1")).await;
            assert!(page.get("gap").is_none());
            assert!(page["events"].as_array().unwrap().len() <= limit);
            events.extend(page["events"].as_array().unwrap().clone());
            after = page["next"].as_u64().unwrap();
            assert_eq!(Some(after), events.last().unwrap()["seq"].as_u64());
            if page["complete"] == true {
                break;
            }
        }
        assert_eq!(events, frames, "limit {limit}");
    }
    let streamed = blocks(stream(&world, job, "?detail=1").send().await.unwrap()).await;
    let data: Vec<Value> = streamed.iter().map(|(_, _, data)| data.clone()).collect();
    assert_eq!(data, frames);
    for (name, id, data) in &streamed {
        assert_eq!((name.as_str(), Some(*id)), ("", data["seq"].as_u64()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_where_it_was_cut() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    let frames = frames_of_socket(&world, job).await;
    let last = u64::try_from(frames.len()).unwrap();
    // The header of an event source that comes again wins over the address that it keeps.
    let again = stream(&world, job, "?after=0&detail=1").header("Last-Event-ID", "2");
    let rest = blocks(again.send().await.unwrap()).await;
    let data: Vec<Value> = rest.into_iter().map(|(_, _, data)| data).collect();
    assert_eq!(data, frames[2..]);
    // One that has seen the end need not come again.
    let done = stream(&world, job, "").header("Last-Event-ID", last.to_string());
    assert_eq!(done.send().await.unwrap().status(), 204);
    let done = stream(&world, job, &format!("?after={last}")).send().await.unwrap();
    assert_eq!((done.status().as_u16(), blocks(done).await.len()), (200, 0));
    let wrong = stream(&world, job, "").header("Last-Event-ID", "x");
    assert_eq!(wrong.send().await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_parameter_is_named() {
    let world = World::small().await;
    let (job, _) = world.scan().await;
    for (query, field) in [
        ("?after=x", "after"),
        ("?after=-1", "after"),
        ("?after=", "after"),
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
    ] {
        for request in [
            world.request(Method::GET, &path(job, query)),
            stream(&world, job, query),
        ] {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 400, "{query}");
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["error"]["details"]["fields"][0]["field"], field, "{body}");
        }
    }
}

/// A scan that Azure holds up.
async fn held_up() -> (World, JobId) {
    let world = Setup::new(7, 50).start().await;
    world.sim.arm(Fault {
        count: u64::MAX,
        value: Some(30_000),
        ..Fault::new(FaultKind::Slow)
    });
    let job = world.start_scan().await;
    (world, job)
}

/// The end of what such a job's log holds for now.
async fn quiet(world: &World, job: JobId) -> u64 {
    until("the scan runs", || async {
        let status: Value = world
            .get(&format!("/api/v1/operations/{job}"))
            .await
            .json()
            .await
            .unwrap();
        (status["status"] == "running").then_some(())
    })
    .await;
    let mut after = 0;
    loop {
        let request = world.request(Method::GET, &path(job, &format!("?after={after}")));
        let page: Value = request
            .header("Prefer", "wait=1")
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        if page["events"].as_array().unwrap().is_empty() {
            assert_eq!((page["next"].as_u64(), &page["complete"]), (Some(after), &json!(false)));
            return after;
        }
        after = page["next"].as_u64().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_answered_at_once() {
    let (world, job) = held_up().await;
    for (accept, kind) in [("*/*", "application/json"), ("text/event-stream", "text/event-stream")] {
        let request = world.request(Method::HEAD, &path(job, "")).header("Accept", accept);
        let head = tokio::time::timeout(DEADLINE, request.send()).await.unwrap().unwrap();
        assert_eq!(
            (head.status().as_u16(), &head.headers()["content-type"]),
            (200, &kind.parse().unwrap())
        );
        assert!(head.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_waits_for_news() {
    let (world, job) = held_up().await;
    let after = quiet(&world, job).await;
    let request = world.request(Method::GET, &path(job, &format!("?after={after}")));
    let waiting = tokio::spawn(request.header("Prefer", "wait=50").send());
    until("the request waits", || async {
        (world.held().streams == 1).then_some(())
    })
    .await;
    world.client.cancel(job).await.unwrap();
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.headers()["preference-applied"], "wait=50");
    let page: Value = answer.json().await.unwrap();
    assert_eq!(page["events"][0]["type"], "completion", "{page}");
    assert_eq!(page["complete"], true);
    // Behind the end there is nothing to wait for.
    let request = world
        .request(Method::GET, &path(job, "?after=99999"))
        .header("Prefer", "wait=50");
    let page: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!((&page["events"], &page["complete"]), (&json!([]), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_lets_its_readers_go() {
    let (mut world, job) = held_up().await;
    let after = quiet(&world, job).await;
    let request = world.request(Method::GET, &path(job, &format!("?after={after}")));
    let polling = tokio::spawn(request.header("Prefer", "wait=3600").send());
    let streaming = stream(&world, job, "?after=0").send().await.unwrap();
    until("both wait", || async { (world.held().streams == 2).then_some(()) }).await;
    let (page, seen, ()) = tokio::join!(polling, blocks(streaming), world.stop_server());
    let page: Value = page.unwrap().unwrap().json().await.unwrap();
    assert_eq!(page["complete"], false, "{page}");
    assert!(
        seen.iter().all(|(_, _, frame)| frame["type"] != "completion"),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_holds_so_many_open() {
    let (world, job) = held_up().await;
    let limit = usize::try_from(atg_models::limits::SOCKETS_PER_KEY_MAX).unwrap();
    let mut open = Vec::new();
    for _ in 0..limit {
        let response = stream(&world, job, "").send().await.unwrap();
        assert_eq!(response.status(), 200);
        open.push(response);
    }
    let refused = stream(&world, job, "").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(
        connect(&world, &format!("/ws/progress/{job}"), true)
            .await
            .unwrap_err()
            .0,
        429
    );
    // A page does not wait then, and is there all the same.
    let request = world
        .request(Method::GET, &path(job, "?after=99999"))
        .header("Prefer", "wait=50");
    let page = request.send().await.unwrap();
    assert!(page.status() == 200 && !page.headers().contains_key("preference-applied"));
    open.truncate(limit - 1);
    until("a place is free", || async {
        (world.held().streams < limit).then_some(())
    })
    .await;
    assert_eq!(stream(&world, job, "").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_held_is_a_gap() {
    let mut world = Setup::new(7, 50).start().await;
    let kept = atg_models::limits::EVENT_LOG_TAIL_ROWS;
    let lines = (1..=kept + 4).map(|number| number.to_string()).collect();
    let job = world.written_log(lines).await;
    // The completion is the last of the rows that are kept.
    let (first, last) = (6, kept + 5);
    let beginning = page(&world, job, "?after=2&limit=1").await;
    assert_eq!(beginning["gap"], json!({"from": 3, "to": 5}));
    assert_eq!(
        (&beginning["events"][0]["seq"], &beginning["next"]),
        (&json!(first), &json!(first))
    );
    let long = page(&world, job, "?after=5&limit=1000").await;
    assert_eq!(long["events"].as_array().unwrap().len(), 1000);
    assert!(long.get("gap").is_none() && long["complete"] == false);

    let streamed = blocks(stream(&world, job, "?after=2").send().await.unwrap()).await;
    let (name, id, gap) = &streamed[0];
    assert_eq!((name.as_str(), *id), ("gap", 5));
    assert_eq!(
        (&gap["type"], &gap["from"], &gap["to"]),
        (&json!("gap"), &json!(3), &json!(5))
    );
    let ids: Vec<u64> = streamed[1..].iter().map(|(_, id, _)| *id).collect();
    assert_eq!(ids, (first..=last).collect::<Vec<_>>());
}
