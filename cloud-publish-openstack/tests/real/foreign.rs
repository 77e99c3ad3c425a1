//! Another client of the same project: plain HTTP, none of the code under test.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "a test's servers are named by the environment")]
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this through tests/run"))
}

/// Somebody with a token and one region's Glance.
#[derive(Debug)]
pub(crate) struct Foreign {
    http: reqwest::Client,
    glance: String,
    token: String,
}

impl Foreign {
    /// Signs in as one of the test's users.
    pub(crate) async fn sign_in(user: &str, project: &str) -> Self {
        let http = reqwest::Client::new();
        let domain = json!({"name": "Default"});
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password":
                {"user": {"name": user, "domain": domain, "password": "test-user"}}},
            "scope": {"project": {"name": project, "domain": domain}}}});
        let url = format!("{}/auth/tokens", variable("OPENSTACK_TEST_KEYSTONE"));
        let answer = http.post(url).json(&body).send().await.unwrap();
        let token = answer.headers().get("x-subject-token").expect("a token").to_str().unwrap().to_owned();
        Self { http, glance: variable("OPENSTACK_TEST_GLANCE_ONE"), token }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/v2/{path}", self.glance)).header("x-auth-token", &self.token)
    }

    /// Sends a request, again while Glance on SQLite finds its database locked.
    async fn send(&self, call: RequestBuilder) -> Response {
        for _ in 0..10 {
            let answer = call.try_clone().unwrap().send().await.unwrap();
            if answer.status() != StatusCode::INTERNAL_SERVER_ERROR {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        call.send().await.unwrap()
    }

    pub(crate) async fn show(&self, id: &str) -> Option<Value> {
        let answer = self.send(self.call(Method::GET, &format!("images/{id}"))).await;
        (answer.status() == StatusCode::OK).then_some(())?;
        answer.json().await.ok()
    }

    pub(crate) async fn create(&self, record: &Value) -> Value {
        let answer = self.send(self.call(Method::POST, "images").json(record)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json().await.unwrap()
    }

    pub(crate) async fn patch(&self, id: &str, name: &str, value: Value) {
        self.change("replace", id, (name, value)).await;
    }

    pub(crate) async fn add(&self, id: &str, name: &str, value: Value) {
        self.change("add", id, (name, value)).await;
    }

    async fn change(&self, op: &str, id: &str, (name, value): (&str, Value)) {
        let body = json!([{"op": op, "path": format!("/{name}"), "value": value}]).to_string();
        let call = self.call(Method::PATCH, &format!("images/{id}"));
        let call = call.header("content-type", "application/openstack-images-v2.1-json-patch").body(body);
        assert_eq!(self.send(call).await.status(), StatusCode::OK);
    }

    pub(crate) async fn delete(&self, id: &str) {
        let answer = self.send(self.call(Method::DELETE, &format!("images/{id}"))).await;
        if answer.status() != StatusCode::NO_CONTENT {
            // A first request that SQLite interrupted may have done it, or left the record behind as deleted.
            let left = self.show(id).await;
            let status = left.as_ref().and_then(|image| image.get("status"));
            assert!(status.is_none_or(|status| status == "deleted"), "{id}: {} {left:?}", answer.status());
        }
    }

    /// Stages a record's data.
    pub(crate) async fn stage(&self, id: &str, data: Vec<u8>) {
        let call = self.call(Method::PUT, &format!("images/{id}/stage"));
        let call = call.header("content-type", "application/octet-stream").body(data);
        assert_eq!(self.send(call).await.status(), StatusCode::NO_CONTENT);
    }

    /// Asks for the import of what is staged.
    pub(crate) async fn import(&self, id: &str) {
        let body = json!({"method": {"name": "glance-direct"}});
        let answer = self.send(self.call(Method::POST, &format!("images/{id}/import")).json(&body)).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }

    /// Whether a deletion was refused.
    pub(crate) async fn may_not_delete(&self, id: &str) -> bool {
        self.send(self.call(Method::DELETE, &format!("images/{id}"))).await.status() == StatusCode::FORBIDDEN
    }

    /// The token, for another client.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Whether the image's data can be had.
    pub(crate) async fn can_download(&self, id: &str) -> bool {
        let answer = self.send(self.call(Method::GET, &format!("images/{id}/file"))).await;
        answer.status() == StatusCode::OK
    }

    /// Every image of an owner, hidden or not.
    pub(crate) async fn images_of(&self, owner: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for hidden in ["false", "true"] {
            let query = format!("images?limit=1000&os_hidden={hidden}&cloud-publish-owner={owner}");
            let answer: Value = self.send(self.call(Method::GET, &query)).await.json().await.unwrap();
            all.extend(answer.get("images").and_then(Value::as_array).unwrap().iter().cloned());
        }
        all
    }

    pub(crate) async fn wipe(&self, owner: &str) {
        for image in self.images_of(owner).await {
            let id = image.get("id").and_then(Value::as_str).unwrap();
            if image.get("protected") == Some(&json!(true)) {
                self.patch(id, "protected", json!(false)).await;
            }
            self.delete(id).await;
        }
    }
}
