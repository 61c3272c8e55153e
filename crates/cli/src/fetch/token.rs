//! Tokens of registries of images: a server that wants one says where it is to be had, and gives it to anybody.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/>

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

/// Bytes that an answer with a token may have.
const MAX_ANSWER: u64 = 1 << 20;

/// The tokens that are known, by the URL of the image.
#[derive(Default)]
pub(super) struct Tokens(Mutex<BTreeMap<String, String>>);

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Tokens {
    /// The token for a URL, if one was asked for before.
    pub(super) fn get(&self, url: &str) -> Option<String> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(image(url)?).cloned()
    }

    /// Gets a token where the response wants one, or nothing where it does not.
    pub(super) fn renew(
        &self,
        agent: &Agent,
        url: &str,
        response: &Response<Body>,
    ) -> Result<Option<String>> {
        let (StatusCode::UNAUTHORIZED, Some(image)) = (response.status(), image(url)) else {
            return Ok(None);
        };
        let challenge = response.headers().get("www-authenticate");
        let challenge =
            challenge.and_then(|header| header.to_str().ok()).and_then(Challenge::parse);
        let Some(challenge) = challenge else { return Ok(None) };
        let mut request = agent.get(challenge.realm);
        for (name, value) in [("service", challenge.service), ("scope", challenge.scope)] {
            if let Some(value) = value {
                request = request.query(name, value);
            }
        }
        let asked = || format!("cannot get a token from {}", challenge.realm);
        let mut answer = request.call().with_context(asked)?;
        anyhow::ensure!(answer.status().is_success(), "{}: {}", asked(), answer.status());
        let body = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
        let answer: Answer =
            serde_json::from_str(&body.with_context(asked)?).with_context(asked)?;
        let token = answer.token.or(answer.access_token).with_context(asked)?;
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(image.to_owned(), token.clone());
        Ok(Some(token))
    }
}

/// The part of a URL of a registry that names the image.
fn image(url: &str) -> Option<&str> {
    let (image, _) = url.rsplit_once("/manifests/").or_else(|| url.rsplit_once("/blobs/"))?;
    image.contains("/v2/").then_some(image)
}

/// Who gives tokens, and for what.
#[derive(Debug, Eq, PartialEq)]
struct Challenge<'a> {
    realm: &'a str,
    service: Option<&'a str>,
    scope: Option<&'a str>,
}

impl<'a> Challenge<'a> {
    /// Parses `Bearer realm="...",service="...",scope="..."`.
    fn parse(header: &'a str) -> Option<Self> {
        let (scheme, mut rest) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut values = BTreeMap::new();
        while let Some((name, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"')?;
            values.insert(name.trim_matches([' ', ',']), value);
            rest = after;
        }
        let realm = values.get("realm").copied()?;
        let is_web = realm.starts_with("https://") || realm.starts_with("http://");
        let (service, scope) = (values.get("service").copied(), values.get("scope").copied());
        is_web.then_some(Self { realm, service, scope })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://quay.example/v2/auth",service="quay.example",scope="repository:a/b:pull,push""#;
        let expected = Challenge {
            realm: "https://quay.example/v2/auth",
            service: Some("quay.example"),
            scope: Some("repository:a/b:pull,push"),
        };
        assert_eq!(Challenge::parse(header), Some(expected));
        for other in ["Basic realm=\"x\"", "Bearer", "Bearer realm=\"ftp://x\"", "Bearer realm=\"x"]
        {
            assert_eq!(Challenge::parse(other), None, "{other}");
        }
    }

    #[test]
    fn images_are_told_by_their_urls() {
        assert_eq!(
            image("https://a.example/v2/b/c/blobs/sha256:1"),
            Some("https://a.example/v2/b/c")
        );
        assert_eq!(image("https://a.example/v2/b/manifests/43"), Some("https://a.example/v2/b"));
        assert_eq!(image("https://a.example/fedora/manifests/43"), None);
    }
}
