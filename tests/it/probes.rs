//! `GET /livez`, `GET /readyz`.

use atg_tests::World;
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_lives_and_is_ready() {
    let world = World::small().await;
    for path in ["/livez", "/readyz"] {
        let response = world.anonymous(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.text().await.unwrap(), "ok\n");
    }
}
