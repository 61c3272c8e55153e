//! `sysext-composer serve`: the page and its catalog for the browsers of this machine.
#![expect(clippy::disallowed_methods, reason = "this crate is the outside world")]

mod packages;

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use sysext::Catalog;
use sysext::catalog::CATALOG;
use tiny_http::{Header, Request, Response, Server, StatusCode};

use crate::terminal::Terminal;
use crate::{Outcome, args, interrupt};
use packages::Packages;

/// Requests that are answered side by side: as many as a browser sends.
const THREADS: usize = 8;
/// How long a thread waits for a request before it looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(100);
/// Ports that are tried where none is named.
const PORTS: std::ops::Range<u16> = 8080..8090;
/// Where the page looks for its catalog.
const FOLDER: &str = "catalog/";

/// An answer: what it is, and its bytes.
type Answer = Response<Box<dyn Read + Send>>;

pub(crate) fn run(args: &args::Serve, terminal: &Terminal) -> Result<Outcome> {
    if !args.page.join("index.html").is_file() {
        bail!("{} has no index.html: `cargo xtask build` makes the page", args.page.display());
    }
    let site = Site::new(args)?;
    let server = match args.port {
        Some(port) => listen(port)?,
        None => PORTS.into_iter().find_map(|port| listen(port).ok()).with_context(|| {
            format!("no free port from {} to {}: --port names one", PORTS.start, PORTS.end - 1)
        })?,
    };
    let url = format!("http://{}/", server.server_addr());
    if terminal.json {
        terminal.result(&serde_json::json!({ "url": url }));
    } else {
        println!("The page is at {url} (Ctrl-C ends the server)");
    }
    io::stdout().flush()?;
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| answer_until_interrupted(&server, &site));
        }
    });
    Ok(Outcome::Done)
}

/// Listens to this machine alone.
fn listen(port: u16) -> Result<Server> {
    let server = Server::http(("127.0.0.1", port));
    server.map_err(|error| anyhow!("cannot listen on 127.0.0.1:{port}: {error}"))
}

fn answer_until_interrupted(server: &Server, site: &Site) {
    while interrupt::check().is_ok() {
        if let Ok(Some(request)) = server.recv_timeout(PATIENCE) {
            let answer = site.answer(&request);
            // A browser that has gone away needs no answer.
            let _ = request.respond(answer);
        }
    }
}

/// What is served.
struct Site {
    page: PathBuf,
    catalog: Option<PathBuf>,
    packages: Packages,
}

impl Site {
    fn new(args: &args::Serve) -> Result<Self> {
        let catalog = match &args.catalog {
            Some(folder) => {
                let path = folder.join(CATALOG);
                let name = path.display();
                let text = fs::read(&path).with_context(|| format!("cannot read {name}"))?;
                serde_json::from_slice(&text).with_context(|| name.to_string())?
            }
            None => Catalog::new(Vec::new()),
        };
        let folder = args.catalog.as_deref().unwrap_or(&args.page);
        let packages = Packages::new(&catalog, folder, &args.network, &args.trust)?;
        Ok(Self { page: args.page.clone(), catalog: args.catalog.clone(), packages })
    }

    fn answer(&self, request: &Request) -> Answer {
        let url = request.url().split(['?', '#']).next().unwrap_or_default();
        let path = url.trim_start_matches('/');
        let answered = match (path.strip_prefix(FOLDER), &self.catalog) {
            (Some(below), Some(folder)) => self.of_catalog(folder, below, request),
            _ => file(&self.page, path, request),
        };
        answered.unwrap_or_else(|error| text(502, &format!("{error:#}")))
    }

    /// A file of the catalog; packages that are not there are fetched.
    fn of_catalog(&self, folder: &Path, path: &str, request: &Request) -> Result<Answer> {
        if !folder.join(path).exists()
            && let Some(package) = self.packages.get(path)?
        {
            return stored(&package, request);
        }
        file(folder, path, request)
    }
}

/// A file below a folder.
fn file(folder: &Path, path: &str, request: &Request) -> Result<Answer> {
    let relative = Path::new(path);
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let mut path = folder.join(relative);
    if path.is_dir() {
        path.push("index.html");
    }
    if inside && path.is_file() { stored(&path, request) } else { Ok(text(404, "not found")) }
}

/// A file, or as much of it as the request asks for.
fn stored(path: &Path, request: &Request) -> Result<Answer> {
    let name = path.display();
    let mut file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    let size = file.metadata()?.len();
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let mut headers = vec![
        header("Content-Type", kind(extension)),
        header("Accept-Ranges", "bytes"),
        // What these name has hashes in its names.
        header(
            "Cache-Control",
            match extension {
                "html" | "json" => "no-cache",
                _ => "max-age=31536000, immutable",
            },
        ),
    ];
    if let Some((start, end)) = value(request, "Range").and_then(|range| bytes(range, size)) {
        file.seek(SeekFrom::Start(start))?;
        headers.push(header("Content-Range", &format!("bytes {start}-{}/{size}", end - 1)));
        return Ok(answer(206, headers, Box::new(file.take(end - start)), end - start));
    }
    let packs = matches!(extension, "html" | "js" | "css" | "wasm" | "svg" | "json");
    if packs && value(request, "Accept-Encoding").is_some_and(|known| known.contains("gzip")) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        io::copy(&mut file, &mut encoder).with_context(|| format!("cannot read {name}"))?;
        let packed = encoder.finish()?;
        headers.push(header("Content-Encoding", "gzip"));
        let length = packed.len() as u64;
        return Ok(answer(200, headers, Box::new(io::Cursor::new(packed)), length));
    }
    Ok(answer(200, headers, Box::new(file), size))
}

/// The bytes of `bytes=START-END`, as a range without its end; other forms are answered with the whole file.
fn bytes(range: &str, size: u64) -> Option<(u64, u64)> {
    let (start, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let start = start.parse().ok()?;
    let last = if last.is_empty() { size.checked_sub(1)? } else { last.parse().ok()? };
    let end = last.checked_add(1)?.min(size);
    (start < end).then_some((start, end))
}

fn kind(extension: &str) -> &'static str {
    match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "woff2" => "font/woff2",
        "rpm" => "application/x-rpm",
        _ => "application/octet-stream",
    }
}

fn answer(status: u16, headers: Vec<Header>, body: Box<dyn Read + Send>, length: u64) -> Answer {
    let length = usize::try_from(length).ok();
    let answer = Response::new(StatusCode(status), headers, body, length, None);
    // In chunks nobody would know how much is to come.
    answer.with_chunked_threshold(usize::MAX)
}

fn text(status: u16, text: &str) -> Answer {
    let headers = vec![header("Content-Type", "text/plain; charset=utf-8")];
    let body = Box::new(io::Cursor::new(text.to_owned().into_bytes()));
    answer(status, headers, body, text.len() as u64)
}

fn header(name: &'static str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("these are header fields")
}

fn value<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    let headers = request.headers().iter();
    let mut values = headers.filter(|header| header.field.equiv(name));
    values.next().map(|header| header.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_where_the_file_does() {
        let check = |range: &str, expected: Option<(u64, u64)>| {
            assert_eq!(bytes(range, 100), expected, "{range}");
        };
        check("bytes=0-31", Some((0, 32)));
        check("bytes=90-200", Some((90, 100)));
        check("bytes=90-", Some((90, 100)));
        check("bytes=100-110", None);
        check("bytes=5-4", None);
        check("bytes=-5", None);
        check("lines=1-2", None);
        check("bytes=0-18446744073709551615", None);
    }
}
