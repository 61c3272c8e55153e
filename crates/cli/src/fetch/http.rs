//! HTTP: resumed, retried, and never more than was announced.

use std::io::{self, Read as _, Write as _};
use std::ops::Range;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use indicatif::ProgressBar;
use sysext::rpm::repodata::Checksum;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use super::cache::{Cache, Known, Partial};
use super::token::Tokens;
use crate::{args, interrupt};

/// How long to wait before the second attempt; twice as long before each that follows.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait, also where a server asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Fetches over HTTP.
pub(crate) struct Http {
    agent: Agent,
    tokens: Tokens,
    retries: u32,
}

/// Where a file is, each place as good as the others, and what kinds of content will do.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) urls: &'a [String],
    pub(crate) accept: Option<&'a str>,
}

/// Why an attempt came to nothing.
enum Failure {
    /// Another attempt may do better; when the server said how long to wait, that long.
    Passing(anyhow::Error, Option<Duration>),
    /// No attempt will.
    Lasting(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Lasting(error)
    }
}

impl Http {
    pub(crate) fn new(args: &args::Network) -> Self {
        let timeout = Some(Duration::from_secs(args.timeout.get()));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(timeout)
            .timeout_recv_response(timeout)
            .timeout_per_read(timeout)
            .user_agent(concat!("sysext-composer/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.into(), tokens: Tokens::default(), retries: args.retries }
    }

    /// Fetches a file whose digest is known into the cache from one of its mirrors, going on where an earlier run stopped.
    pub(crate) fn download(
        &self,
        cache: &Cache,
        sources: Sources<'_>,
        size: u64,
        checksum: &Checksum,
        progress: &ProgressBar,
    ) -> Result<PathBuf> {
        let partial = cache.partial(checksum)?;
        // Another run may have fetched it while this one waited for the lock.
        if let Some(path) = cache.find(checksum)? {
            return Ok(path);
        }
        let before = progress.position();
        let mut mirrors = sources.urls.to_vec();
        // What is there from an earlier run may be of another file: the first mirror gets a second chance.
        for _ in 0..=mirrors.len() {
            let resume = |url: &str| self.resume(&partial, url, sources.accept, size, progress);
            self.attempts(&mirrors, resume)?;
            if partial.matches(checksum)? {
                return cache.finish(&partial, checksum);
            }
            partial.clear()?;
            progress.set_position(before);
            mirrors.rotate_left(1);
        }
        let url = mirrors.last().map(String::as_str).unwrap_or_default();
        bail!("{url} is not what the repository says: its {} differs", checksum.algorithm)
    }

    /// Fetches what is missing of a file.
    fn resume(
        &self,
        partial: &Partial,
        url: &str,
        accept: Option<&str>,
        size: u64,
        progress: &ProgressBar,
    ) -> Result<(), Failure> {
        let have = partial.length()?;
        if have == size {
            return Ok(());
        }
        if have > size {
            partial.clear()?;
            return self.resume(partial, url, accept, size, progress);
        }
        let range = (have > 0).then(|| format!("bytes={have}-"));
        let response = self.call(url, &[("Accept", accept), ("Range", range.as_deref())])?;
        let left = match response.status() {
            StatusCode::PARTIAL_CONTENT if starts_at(&response, have) => size - have,
            StatusCode::OK => {
                partial.clear()?;
                size
            }
            StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PARTIAL_CONTENT => {
                partial.clear()?;
                return Err(Failure::Passing(anyhow!("{url}: the server has another file"), None));
            }
            _ => return Err(status(url, &response)),
        };
        copy(response.into_body(), partial, url, left, progress)
    }

    /// Fetches a file whose digest nobody tells, or nothing if it is still as it was.
    pub(crate) fn refresh(
        &self,
        cache: &Cache,
        sources: Sources<'_>,
        limit: u64,
    ) -> Result<PathBuf> {
        let newest = |url: &str| self.newest(cache, url, sources.accept, None, limit);
        Ok(self.attempts(sources.urls, newest)?.path)
    }

    /// Fetches bytes of a file, or nothing if they are still as they were. What comes back is the whole file where the
    /// server knows no parts; then its URL is the file's.
    pub(crate) fn part(
        &self,
        cache: &Cache,
        url: &str,
        range: &Range<u64>,
        limit: u64,
    ) -> Result<Known> {
        // A server that has sent all of it will do so again, or say that it has not changed.
        let range = cache.by_url(url).is_none().then_some(range);
        self.attempts(&[url.to_owned()], |url| self.newest(cache, url, None, range, limit))
    }

    /// A file, or bytes of it, as the server has it now.
    fn newest(
        &self,
        cache: &Cache,
        url: &str,
        accept: Option<&str>,
        range: Option<&Range<u64>>,
        limit: u64,
    ) -> Result<Known, Failure> {
        let key = range.map_or_else(|| url.to_owned(), |range| part_url(url, range));
        let known = cache.by_url(&key);
        let etag = known.as_ref().and_then(|known| known.etag.as_deref());
        let date = known.as_ref().and_then(|known| known.last_modified.as_deref());
        let bytes = range.map(|Range { start, end }| format!("bytes={start}-{}", end - 1));
        let response = self.call(
            url,
            &[
                ("Accept", accept),
                ("Range", bytes.as_deref()),
                ("If-None-Match", etag),
                ("If-Modified-Since", date.filter(|_| etag.is_none())),
            ],
        )?;
        let is_part = response.status() == StatusCode::PARTIAL_CONTENT;
        match (response.status(), known) {
            (StatusCode::NOT_MODIFIED, Some(known)) => return Ok(known),
            (StatusCode::OK, _) => {}
            (StatusCode::PARTIAL_CONTENT, _)
                if range.is_some_and(|range| starts_at(&response, range.start)) => {}
            _ => return Err(status(url, &response)),
        }
        let header = |name| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (etag, last_modified) = (header("etag"), header("last-modified"));
        let announced = header("content-length").and_then(|length| length.parse::<u64>().ok());
        let mut content = Vec::new();
        let read = response.into_body().into_reader().take(limit + 1).read_to_end(&mut content);
        read.map_err(|error| broken_off(url, &error))?;
        let length = content.len() as u64;
        if length > limit {
            return Err(Failure::Lasting(anyhow!("{url} has more than {limit} bytes")));
        }
        if announced.is_some_and(|announced| announced != length) {
            return Err(broken_off(url, &io::ErrorKind::UnexpectedEof.into()));
        }
        let url = if is_part { key } else { url.to_owned() };
        Ok(cache.keep(Known { url, etag, last_modified, path: PathBuf::new() }, &content)?)
    }

    /// Asks once, and a second time with a token if the server wants one.
    fn call(&self, url: &str, headers: &[(&str, Option<&str>)]) -> Result<Response<Body>, Failure> {
        let send = |token: Option<String>| {
            let mut request = self.agent.get(url);
            for (name, value) in headers {
                if let Some(value) = value {
                    request = request.header(*name, *value);
                }
            }
            if let Some(token) = token {
                request = request.header("Authorization", format!("Bearer {token}"));
            }
            request.call().map_err(|error| connection(url, error))
        };
        let response = send(self.tokens.get(url))?;
        match self.tokens.renew(&self.agent, url, &response)? {
            Some(token) => send(Some(token)),
            None => Ok(response),
        }
    }

    /// Tries one mirror after the other until it works, none of them can help, or there were enough attempts. Each mirror
    /// is asked once before any is waited for.
    fn attempts<T>(
        &self,
        urls: &[String],
        mut attempt: impl FnMut(&str) -> Result<T, Failure>,
    ) -> Result<T> {
        let mut wait = FIRST_WAIT;
        let mut left = self.retries;
        let mut mirrors: Vec<&String> = urls.iter().collect();
        loop {
            let mut longest = None;
            let mut failed = None;
            for url in std::mem::take(&mut mirrors) {
                interrupt::check()?;
                match attempt(url) {
                    Ok(done) => return Ok(done),
                    Err(Failure::Lasting(error)) => failed = failed.or(Some(error)),
                    Err(Failure::Passing(error, asked)) => {
                        mirrors.push(url);
                        longest = longest.max(asked);
                        failed = Some(error);
                    }
                }
            }
            let error = failed.unwrap_or_else(|| anyhow!("there is no mirror"));
            let Some(url) = mirrors.first() else { return Err(error) };
            if left == 0 {
                let times = self.retries + 1;
                return Err(error.context(format!("cannot fetch {url}, {times} times tried")));
            }
            left -= 1;
            let until = Instant::now() + longest.unwrap_or(wait).min(LONGEST_WAIT);
            while Instant::now() < until {
                interrupt::check()?;
                std::thread::sleep(Duration::from_millis(50));
            }
            wait *= 2;
        }
    }
}

/// What stands for bytes of a file where a URL stands for all of it.
pub(crate) fn part_url(url: &str, Range { start, end }: &Range<u64>) -> String {
    format!("{url}#{start}-{end}")
}

/// Appends what comes to a file: not more than is expected, and not less.
fn copy(
    body: Body,
    partial: &Partial,
    url: &str,
    expected: u64,
    progress: &ProgressBar,
) -> Result<(), Failure> {
    let mut reader = body.into_reader();
    let mut left = expected;
    let mut buffer = vec![0; 64 << 10];
    loop {
        interrupt::check().map_err(anyhow::Error::from)?;
        let read = reader.read(&mut buffer).map_err(|error| broken_off(url, &error))?;
        if read == 0 && left > 0 {
            return Err(broken_off(url, &io::ErrorKind::UnexpectedEof.into()));
        }
        if read == 0 {
            return Ok(());
        }
        if read as u64 > left {
            partial.clear()?;
            let error = anyhow!("{url} has more bytes than the repository says");
            return Err(Failure::Lasting(error));
        }
        left -= read as u64;
        (&partial.file).write_all(&buffer[..read]).context("cannot write into the cache")?;
        progress.inc(read as u64);
    }
}

fn starts_at(response: &Response<Body>, offset: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}

fn connection(url: &str, error: ureq::Error) -> Failure {
    let lasting = matches!(
        error,
        ureq::Error::BadUri(_) | ureq::Error::Tls(_) | ureq::Error::TooManyRedirects
    );
    let error = anyhow::Error::new(error).context(url.to_owned());
    if lasting { Failure::Lasting(error) } else { Failure::Passing(error, None) }
}

fn broken_off(url: &str, error: &io::Error) -> Failure {
    Failure::Passing(anyhow!("{url} broke off: {error}"), None)
}

fn status(url: &str, response: &Response<Body>) -> Failure {
    let status = response.status();
    let error = anyhow!("{url}: the server says {status}");
    let passing = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if !passing {
        return Failure::Lasting(error);
    }
    let asked = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let asked = asked.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    Failure::Passing(error, asked)
}
