//! The servers that people run today, each as Debian 12 has it, set to do what ours does: TLS 1.2 and 1.3, tickets, one plain backend, one worker.
//!
//! Where a default would hold a server back in a benchmark (backlogs, tables, logs), it is raised or turned off, as for ours.

use core::net::SocketAddr;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::subject::{Place, pinned};

/// How a peer is started, and where it will listen.
pub(crate) type Launch = fn(&Place, SocketAddr) -> Outcome<(Command, SocketAddr)>;

/// Their names, the file that must exist, and how each is started.
pub(crate) const ALL: [(&str, &str, Launch); 4] = [
    ("nginx", "/usr/sbin/nginx", nginx),
    ("haproxy", "/usr/sbin/haproxy", haproxy),
    ("hitch", "/usr/sbin/hitch", hitch),
    ("stunnel", "/usr/bin/stunnel", stunnel),
];

/// Where they listen.
const ADDRESS: SocketAddr = SocketAddr::new(core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), 9443);

/// The stream module.
fn nginx(place: &Place, backend: SocketAddr) -> Outcome<(Command, SocketAddr)> {
    let dir = place.dir();
    let config = format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n\
         daemon off; master_process off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.log error;\n\
         worker_rlimit_nofile 65536;\n\
         events {{ worker_connections 32768; multi_accept on; }}\n\
         stream {{ access_log off; server {{ listen {ADDRESS} ssl backlog=4096; ssl_certificate {dir}/chain.pem; ssl_certificate_key {dir}/key.pem; \
         ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; tcp_nodelay on; proxy_pass {backend}; }} }}\n"
    );
    let mut command = configured(place, "/usr/sbin/nginx", "nginx.conf", &config, &["-c"])?;
    command.arg("-p").arg(&dir);
    Ok((command, ADDRESS))
}

/// One thread, mode tcp.
fn haproxy(place: &Place, backend: SocketAddr) -> Outcome<(Command, SocketAddr)> {
    let pem = joined(place)?;
    let config = format!(
        "global\n  nbthread 1\n  maxconn 8000\n  ssl-default-bind-options ssl-min-ver TLSv1.2\n\
         defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 300s\n  timeout server 300s\n\
         frontend tls\n  bind {ADDRESS} ssl crt {pem} backlog 4096\n  default_backend plain\n\
         backend plain\n  server one {backend}\n"
    );
    Ok((configured(place, "/usr/sbin/haproxy", "haproxy.cfg", &config, &["-q", "-db", "-f"])?, ADDRESS))
}

/// One worker beside its supervisor.
fn hitch(place: &Place, backend: SocketAddr) -> Outcome<(Command, SocketAddr)> {
    let pem = joined(place)?;
    let config = format!(
        "frontend = {{ host = \"{}\" port = \"{}\" }}\nbackend = \"[{}]:{}\"\npem-file = \"{pem}\"\nworkers = 1\nbacklog = 4096\n\
         tls-protos = TLSv1.2 TLSv1.3\nlog-level = 1\ndaemon = off\nuser = \"root\"\n",
        ADDRESS.ip(),
        ADDRESS.port(),
        backend.ip(),
        backend.port()
    );
    Ok((configured(place, "/usr/sbin/hitch", "hitch.conf", &config, &["--config"])?, ADDRESS))
}

/// A thread for each connection.
fn stunnel(place: &Place, backend: SocketAddr) -> Outcome<(Command, SocketAddr)> {
    let dir = place.dir();
    let config = format!(
        "foreground = yes\npid =\ndebug = err\nsslVersionMin = TLSv1.2\n[tls]\naccept = {ADDRESS}\nconnect = {backend}\ncert = {dir}/chain.pem\n\
         key = {dir}/key.pem\nTIMEOUTclose = 0\n"
    );
    Ok((configured(place, "/usr/bin/stunnel", "stunnel.conf", &config, &[])?, ADDRESS))
}

/// The program on the server's core, with its configuration written behind these arguments.
fn configured(place: &Place, program: &str, name: &str, config: &str, arguments: &[&str]) -> Outcome<Command> {
    let file = place.path(name);
    fs::write(&file, config)?;
    let mut command = pinned(Path::new(program));
    command.args(arguments).arg(file);
    Ok(command)
}

/// Chain and key in one file, as HAProxy and hitch want it.
fn joined(place: &Place) -> Outcome<String> {
    let file = place.path("joined.pem");
    let text = fs::read_to_string(place.path("chain.pem"))? + &fs::read_to_string(place.path("key.pem"))?;
    fs::write(&file, text)?;
    Ok(file.display().to_string())
}
