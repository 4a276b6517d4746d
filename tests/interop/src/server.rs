//! Debian's nginx and HAProxy, configured as somebody would who has them behind or before the box.

use core::fmt;
use core::net::SocketAddr;
use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Outcome, backend};
use tempfile::TempDir;

use crate::authority::Identity;
use crate::command;
use crate::served::Served;

/// Other people's servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Software {
    Nginx,
    Haproxy,
}

/// What stands before a connection's first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proxy {
    Off,
    V1,
    V2,
    V2Tls,
}

/// A started server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) served: Served,
    _dir: TempDir,
}

impl fmt::Display for Proxy {
    /// As our configuration spells it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V2Tls => "v2-tls",
        })
    }
}

impl Software {
    pub(crate) const BOTH: [Self; 2] = [Self::Nginx, Self::Haproxy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }

    /// The PROXY versions that it can send.
    pub(crate) fn sends(self) -> &'static [Proxy] {
        match self {
            Self::Nginx => &[Proxy::V1],
            Self::Haproxy => &[Proxy::V1, Proxy::V2],
        }
    }

    /// Why it cannot be started here, if so.
    pub(crate) fn missing(self) -> Option<String> {
        command::find(self.name()).is_none().then(|| format!("no {}", self.name()))
    }

    /// What it calls itself.
    pub(crate) fn version(self) -> Outcome<String> {
        let program = command::find(self.name()).ok_or("not installed")?;
        let said = command::client(command_of(&program, &["-v"]), b"")?.said();
        let line = said.lines().find(|line| line.to_ascii_lowercase().contains("version")).unwrap_or_default();
        let line = line.trim_start_matches("nginx version: ");
        Ok(line.split(" - http").next().unwrap_or_default().to_owned())
    }

    /// Behind the box: an HTTP proxy in front of `page`, over plain TCP or with TLS of its own, which logs what a PROXY header says.
    pub(crate) fn behind(self, page: SocketAddr, proxy: Proxy, tls: Option<&Identity>) -> Outcome<Server> {
        let (dir, address) = (tempfile::tempdir()?, backend::nobody()?);
        let text = match self {
            Self::Nginx => nginx_behind(address, page, proxy, tls),
            Self::Haproxy => haproxy_behind(address, page, proxy, tls, dir.path())?,
        };
        self.start(dir, address, &text)
    }

    /// Before the box: takes TCP connections and passes them on to it with a PROXY header. nginx knows version 1 only.
    pub(crate) fn before(self, target: SocketAddr, proxy: Proxy) -> Outcome<Server> {
        let (dir, address) = (tempfile::tempdir()?, backend::nobody()?);
        let text = match self {
            Self::Nginx => nginx_before(address, target, proxy),
            Self::Haproxy => haproxy_before(address, target, proxy),
        };
        self.start(dir, address, &text)
    }

    fn start(self, dir: TempDir, address: SocketAddr, text: &str) -> Outcome<Server> {
        let program = command::find(self.name()).ok_or("not installed")?;
        let (folder, file) = (dir.path().display().to_string(), dir.path().join("configuration"));
        fs::write(&file, text.replace("DIR", &folder))?;
        let file = file.display().to_string();
        let command = match self {
            Self::Nginx => command_of(&program, &["-c", &file, "-p", &folder, "-e", "stderr"]),
            Self::Haproxy => command_of(&program, &["-db", "-f", &file]),
        };
        Ok(Server { address, served: Served::start(command, address)?, _dir: dir })
    }
}

fn command_of(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// What both log: the client as the PROXY header says it.
fn nginx_behind(address: SocketAddr, page: SocketAddr, proxy: Proxy, tls: Option<&Identity>) -> String {
    let proxy = if proxy == Proxy::Off { "" } else { " proxy_protocol" };
    let tls = tls.map(|identity| {
        format!(
            "ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {}; ssl_certificate_key {};",
            identity.chain.display(),
            identity.key.display()
        )
    });
    let ssl = if tls.is_some() { " ssl" } else { "" };
    format!(
        "{NGINX}http {{\n log_format seen 'seen source=$proxy_protocol_addr:$proxy_protocol_port \
         target=$proxy_protocol_server_addr:$proxy_protocol_server_port path=$uri';\n access_log /dev/stdout seen;\n\
         client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/f; uwsgi_temp_path DIR/u; scgi_temp_path DIR/s;\n\
         server {{ listen {address}{ssl}{proxy}; {} location / {{ proxy_pass http://{page}; proxy_buffering off; }} }}\n}}\n",
        tls.unwrap_or_default()
    )
}

const NGINX: &str = "daemon off; master_process off; pid DIR/pid; error_log stderr error;\nevents { worker_connections 64; }\n";
const NGINX_STREAM: &str = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n";

fn nginx_before(address: SocketAddr, target: SocketAddr, proxy: Proxy) -> String {
    let proxy = if proxy == Proxy::Off { "off" } else { "on" };
    format!("{NGINX_STREAM}{NGINX}stream {{ server {{ listen {address}; proxy_pass {target}; proxy_protocol {proxy}; }} }}\n")
}

const HAPROXY: &str =
    "global\n log stdout format raw local0\ndefaults\n log global\n timeout connect 10s\n timeout client 30s\n timeout server 30s\n";

fn haproxy_behind(address: SocketAddr, page: SocketAddr, proxy: Proxy, tls: Option<&Identity>, dir: &Path) -> Outcome<String> {
    let proxy = if proxy == Proxy::Off { "" } else { " accept-proxy" };
    let mut ssl = "";
    if let Some(identity) = tls {
        // HAProxy wants chain and key in one file.
        fs::write(dir.join("server.pem"), fs::read_to_string(&identity.chain)? + &fs::read_to_string(&identity.key)?)?;
        ssl = " ssl crt DIR/server.pem";
    }
    Ok(format!(
        "{HAPROXY} mode http\nfrontend front\n bind {address}{proxy}{ssl}\n\
         log-format \"seen source=%[src]:%[src_port] target=%[dst]:%[dst_port] authority=%[fc_pp_authority] path=%HP\"\n\
         default_backend page\nbackend page\n server page {page}\n"
    ))
}

fn haproxy_before(address: SocketAddr, target: SocketAddr, proxy: Proxy) -> String {
    let send = match proxy {
        Proxy::Off => "",
        Proxy::V1 => " send-proxy",
        Proxy::V2 | Proxy::V2Tls => " send-proxy-v2",
    };
    format!("{HAPROXY} mode tcp\nfrontend front\n bind {address}\n default_backend box\nbackend box\n server box {target}{send}\n")
}
