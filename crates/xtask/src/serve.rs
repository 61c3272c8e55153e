//! A server for the page on this machine alone.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::thread;

use anyhow::{Context as _, Result, bail};
use rouille::{Request, Response, Server};

use crate::page;
use crate::shell::say;

/// Builds the page and serves it until the person ends the command.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    let port = match args {
        [] => None,
        ["--port", port] => Some(port.parse::<u16>().context("--port takes a number up to 65535")?),
        other => bail!("serve does not know {}", other.join(" ")),
    };
    let folder = page::build()?;
    let server = match port {
        Some(port) => listen(folder, port)?,
        // 8080 is often taken; the next ones seldom are.
        None => (8080..8090)
            .find_map(|port| listen(folder.clone(), port).ok())
            .context("no free port from 8080 to 8089")?,
    };
    say(&format!("The page is at http://{}/ (Ctrl-C ends the server)", server.server_addr()));
    server.run();
    Ok(())
}

/// Builds the page and serves it as long as this program runs. Gives its address.
pub(crate) fn in_background() -> Result<String> {
    let server = listen(page::build()?, 0)?;
    let address = format!("http://{}/", server.server_addr());
    thread::spawn(move || server.run());
    Ok(address)
}

/// A server of a folder; port 0 is any free one.
fn listen(
    folder: PathBuf,
    port: u16,
) -> Result<Server<impl Fn(&Request) -> Response + Send + Sync + 'static>> {
    let server = Server::new(("127.0.0.1", port), move |request| respond(&folder, request));
    server.map_err(|error| anyhow::anyhow!("cannot listen on 127.0.0.1:{port}: {error}"))
}

fn respond(folder: &Path, request: &Request) -> Response {
    let url = request.url();
    let relative = Path::new(url.trim_start_matches('/'));
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let mut path = folder.join(relative);
    if path.is_dir() {
        path.push("index.html");
    }
    let Some(bytes) = fs::read(&path).ok().filter(|_| inside) else { return Response::empty_404() };
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let kind = match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    };
    // The folder of the assets has a hash in its name.
    let cache = if extension == "html" { "no-cache" } else { "max-age=31536000, immutable" };
    let packable = matches!(extension, "html" | "js" | "css" | "wasm" | "svg");
    let accepts =
        request.header("Accept-Encoding").is_some_and(|accepted| accepted.contains("gzip"));
    let response = match page::gzip(&bytes).ok().filter(|_| packable && accepts) {
        Some(packed) => {
            Response::from_data(kind, packed).with_additional_header("Content-Encoding", "gzip")
        }
        None => Response::from_data(kind, bytes),
    };
    response.with_additional_header("Cache-Control", cache)
}
