//! The known programs. A row is added with a version string that its makers build in on purpose,
//! taken from the program itself.

use super::{GoProgram, Program};

const fn row(
    product: &'static str,
    files: &'static [&'static str],
    pattern: &'static str,
    cpe: &'static [&'static str],
) -> Program {
    Program {
        product,
        files,
        pattern,
        numbered: false,
        cpe,
    }
}

const fn numbered(
    product: &'static str,
    files: &'static [&'static str],
    pattern: &'static str,
    cpe: &'static [&'static str],
) -> Program {
    Program {
        numbered: true,
        ..row(product, files, pattern, cpe)
    }
}

/// Redis and its descendant join version, name of the building host and time without a separator.
/// Hosts are containers, named by twelve hexadecimal digits, or docker's sandbox; another string
/// has the version before the name of the atomics used.
const REDIS_BUILD: &str =
    r"(?-u)[^\d.](\d+\.\d+\.\d+)(?:\x00c11-builtin|(?:buildkitsandbox|[0-9a-f]{12})-\d{10,19}\x00)";

pub(super) const PROGRAMS: &[Program] = &[
    // Languages
    numbered(
        "python",
        &["python2*", "python3*", "libpython*.so*"],
        r"(?-u)\x00([23]\.\d+\.\d+(?:(?:a|b|rc)\d+)?\+?)\x00",
        &["python:python", "python_software_foundation:python"],
    ),
    row(
        "pypy",
        &["libpypy*.so*", "pypy*"],
        r"\[PyPy (\d+\.\d+\.\d+)",
        &["pypy:pypy"],
    ),
    row(
        "node",
        &["node", "nodejs", "libnode.so*"],
        r"node\.js/v(\d+\.\d+\.\d+)",
        &["nodejs:node.js"],
    ),
    row("deno", &["deno"], r"Deno/(\d+\.\d+\.\d+)", &["deno:deno"]),
    row(
        "php",
        &[
            "php",
            "php[5-9]*",
            "php5*",
            "php7*",
            "php8*",
            "php-fpm*",
            "php-cgi*",
            "libphp*.so",
            "phpdbg*",
        ],
        r"X-Powered-By: PHP/(\d+\.\d+\.\d+(?:(?:alpha|beta|RC)\d+)?)",
        &["php:php"],
    ),
    row(
        "perl",
        &["perl", "perl5*", "libperl.so*"],
        r"/perl5?/(5\.\d+\.\d+)",
        &["perl:perl"],
    ),
    row(
        "ruby",
        &["ruby", "ruby2*", "ruby3*", "libruby*.so*"],
        r"ruby (\d+\.\d+\.\d+(?:p\d+|preview\d+|rc\d+|dev)?) \(",
        &["ruby-lang:ruby"],
    ),
    row(
        "lua",
        &["lua", "lua5*", "liblua5*.so*"],
        r"\$LuaVersion: Lua (5\.\d+\.\d+)",
        &["lua:lua"],
    ),
    row(
        "erlang",
        &["beam.smp", "erlexec"],
        r"(?s-u)Erlang/OTP [ -~\n]{1,150}\x00+(\d+(?:\.\d+){1,3})\x00",
        &["erlang:erlang\\/otp"],
    ),
    row(
        "julia",
        &["libjulia-internal.so*"],
        r"(?-u)__init__\x00(\d+\.\d+\.\d+)\x00verify",
        &["julialang:julia"],
    ),
    row(
        "rust",
        &["libstd-*.so"],
        r"LLVM \(rustc version (\d+\.\d+\.\d+)",
        &["rust-lang:rust"],
    ),
    row(
        "ghc",
        &["ghc", "ghc-*"],
        r"(?-u)\x00GHC (\d+\.\d+\.\d+)\x00",
        &["haskell:ghc"],
    ),
    row(
        "dart",
        &["dart"],
        r"(?-u)\x00(\d+\.\d+\.\d+) \(stable\)",
        &["dart:dart_software_development_kit"],
    ),
    // Shells and base systems
    row(
        "bash",
        &["bash"],
        r"@\(#\)Bash version (\d+\.\d+\.\d+)",
        &["gnu:bash"],
    ),
    row(
        "zsh",
        &["zsh", "zsh5"],
        r"/zsh/(5\.\d+(?:\.\d+)?)",
        &["zsh:zsh"],
    ),
    row(
        "busybox",
        &["busybox"],
        r"BusyBox v(\d+\.\d+\.\d+)",
        &["busybox:busybox"],
    ),
    row(
        "glibc",
        &["libc.so.6", "libc-2*.so"],
        r"GNU C Library [^\n]{0,100} release version (\d+\.\d+)",
        &["gnu:glibc"],
    ),
    row(
        "musl",
        &["ld-musl-*.so.1", "libc.musl-*.so.1"],
        r"(?-u)\x00(1\.\d+\.\d+)\x00",
        &["musl-libc:musl"],
    ),
    row(
        "util-linux",
        &["getopt"],
        r"util-linux (\d+\.\d+(?:\.\d+)?)",
        &["kernel:util-linux"],
    ),
    row(
        "xz",
        &["xz"],
        r"\(XZ Utils\) (\d+\.\d+\.\d+)",
        &["tukaani:xz"],
    ),
    row(
        "zlib",
        &["libz.so*"],
        r" deflate (\d+\.\d+(?:\.\d+){0,2}) Copyright",
        &["zlib:zlib"],
    ),
    row(
        "gcc",
        &["gcc", "gcc-*", "*-gcc", "*-gcc-*"],
        r"GCC: \([^)]{1,80}\) (\d+\.\d+\.\d+)",
        &["gnu:gcc"],
    ),
    row(
        "git",
        &["git"],
        r"(?-u)\x00(2\.\d+\.\d+(?:\.\d+)?)\x00",
        &["git-scm:git"],
    ),
    row(
        "sudo",
        &["sudo", "sudoers.so"],
        r"(?-u)\x00(?:sudoers )?(1\.\d+\.\d+(?:p\d+)?)\x00",
        &["sudo_project:sudo"],
    ),
    row(
        "gnupg",
        &["gpg", "gpgv"],
        r"(?-u)\x00(2\.[0-9]\.\d+)\x00",
        &["gnupg:gnupg"],
    ),
    row(
        "tcpdump",
        &["tcpdump"],
        r"%s version (4\.\d+\.\d+)",
        &["tcpdump:tcpdump"],
    ),
    // Transfer and cryptography
    row(
        "openssl",
        &["openssl", "libssl.so*", "libcrypto.so*"],
        r"(?-u)\x00OpenSSL (\d+\.\d+\.\d+(?:[a-z]{1,2}|-(?:alpha|beta)\d+)?)[ -]",
        &["openssl:openssl"],
    ),
    row(
        "curl",
        &["curl"],
        r"(?-u)\x00curl/(\d+\.\d+\.\d+)",
        &["haxx:curl"],
    ),
    row(
        "libcurl",
        &["libcurl.so*", "libcurl-gnutls.so*"],
        r"libcurl/(\d+\.\d+\.\d+)",
        &["haxx:libcurl", "haxx:curl"],
    ),
    row(
        "wget",
        &["wget"],
        r"(?-u)\x00(1\.\d\d(?:\.\d+)?)\x00",
        &["gnu:wget"],
    ),
    row(
        "openssh",
        &["sshd", "ssh", "sshd-session"],
        r"(?-u)\x00OpenSSH_(\d+\.\d+p\d+)",
        &["openbsd:openssh"],
    ),
    row(
        "stunnel",
        &["stunnel", "stunnel4"],
        r"(?-u)\x00stunnel (\d+\.\d+) on ",
        &["stunnel:stunnel"],
    ),
    row(
        "tor",
        &["tor"],
        r"(?-u)\x00tor (0\.\d+\.\d+\.\d+)",
        &["torproject:tor"],
    ),
    // Web and proxies
    row(
        "nginx",
        &["nginx", "openresty"],
        r"nginx version: [^/\x00]{1,40}/(\d+\.\d+\.\d+)",
        &["f5:nginx", "nginx:nginx"],
    ),
    row(
        "httpd",
        &["httpd", "apache2"],
        r"Apache/(\d+\.\d+\.\d+)",
        &["apache:http_server"],
    ),
    row(
        "lighttpd",
        &["lighttpd"],
        r"lighttpd/(\d+\.\d+\.\d+)",
        &["lighttpd:lighttpd"],
    ),
    row(
        "haproxy",
        &["haproxy"],
        r"(?:HA-Proxy version | version )(\d+\.\d+(?:\.\d+|-dev\d+)?)[^\n\x00]{0,40}, released 20",
        &["haproxy:haproxy"],
    ),
    row(
        "envoy",
        &["envoy"],
        r"(?-u)\x00(1\.\d{1,2}\.\d+(?:-dev)?)\x00",
        &["envoyproxy:envoy"],
    ),
    row(
        "squid",
        &["squid"],
        r"(?-u)\x00squid/(\d+\.\d+(?:\.\d+)?)",
        &["squid-cache:squid"],
    ),
    row(
        "varnish",
        &["varnishd"],
        r"varnish-(\d+\.\d+\.\d+)",
        &["varnish_cache_project:varnish_cache"],
    ),
    // Stores
    row(
        "redis",
        &["redis-server"],
        REDIS_BUILD,
        &["redis:redis", "redislabs:redis"],
    ),
    row(
        "valkey",
        &["valkey-server"],
        REDIS_BUILD,
        &["lfprojects:valkey", "linuxfoundation:valkey"],
    ),
    row(
        "memcached",
        &["memcached"],
        r"memcached (\d+\.\d+\.\d+)",
        &["memcached:memcached"],
    ),
    row(
        "postgresql",
        &["postgres"],
        r"(?-u)\x00PostgreSQL (\d+(?:\.\d+)+)",
        &["postgresql:postgresql"],
    ),
    row(
        "mariadb",
        &["mariadb", "mariadbd", "mysql", "mysqld"],
        r"(\d+\.\d+\.\d+)-MariaDB",
        &["mariadb:mariadb"],
    ),
    row(
        "percona-server",
        &["mysql", "mysqld"],
        r"/percona-server-(\d+\.\d+\.\d+)",
        &["percona:percona_server", "oracle:mysql"],
    ),
    row(
        "mysql",
        &["mysql", "mysqld"],
        r"/mysql-(\d+\.\d+\.\d+)",
        &["oracle:mysql"],
    ),
    row(
        "mongodb",
        &["mongod", "mongos"],
        r"(?-u)(\d+\.\d+\.\d+)\x00+(?:tcmalloc|heap_size|cppdefines)",
        &["mongodb:mongodb"],
    ),
    row(
        "sqlite",
        &["sqlite3", "libsqlite3.so*"],
        r"(?-u)\x00(3\.\d+\.\d+)\x00",
        &["sqlite:sqlite"],
    ),
    row(
        "openldap",
        &["slapd", "ldapsearch"],
        r"OpenLDAP: [a-z]{1,20} (\d+\.\d+\.\d+)",
        &["openldap:openldap"],
    ),
    // Mail, names, files, messages
    row(
        "exim",
        &["exim", "exim4"],
        r"(?-u)\x00(4\.\d\d(?:\.\d+)?)\x00",
        &["exim:exim"],
    ),
    row(
        "postfix",
        &["master"],
        r"mail_version=(\d+\.\d+\.\d+)",
        &["postfix:postfix"],
    ),
    row(
        "dovecot",
        &["dovecot"],
        r"Dovecot v(\d+\.\d+(?:\.\d+)*)",
        &["dovecot:dovecot"],
    ),
    row(
        "dnsmasq",
        &["dnsmasq"],
        r"(?-u)\x00dnsmasq-(\d+\.\d+)",
        &["thekelleys:dnsmasq"],
    ),
    row(
        "bind",
        &["named", "libdns-9*.so*", "libdns.so*"],
        r"lib(?:isc|dns)-(9\.\d+\.\d+)",
        &["isc:bind"],
    ),
    row(
        "unbound",
        &["unbound"],
        r"(?-u)\x00unbound (\d+\.\d+\.\d+)",
        &["nlnetlabs:unbound"],
    ),
    row(
        "vsftpd",
        &["vsftpd"],
        r"vsftpd: version (\d+\.\d+\.\d+)",
        &["vsftpd_project:vsftpd"],
    ),
    row(
        "proftpd",
        &["proftpd"],
        r"ProFTPD Version (\d+\.\d+\.\d+[a-z]?)",
        &["proftpd:proftpd"],
    ),
    row(
        "fluent-bit",
        &["fluent-bit"],
        r"(?-u)\x00(\d+\.\d+\.\d+)\x00{1,8}(?:%s)?Fluent",
        &["treasuredata:fluent_bit"],
    ),
    // Media
    row(
        "ffmpeg",
        &["ffmpeg", "ffprobe"],
        r"%s version n?(\d+\.\d+(?:\.\d+)?)",
        &["ffmpeg:ffmpeg"],
    ),
    row(
        "imagemagick",
        &["libMagickCore*.so*", "magick"],
        r"ImageMagick (\d+\.\d+\.\d+-\d+)",
        &["imagemagick:imagemagick"],
    ),
];

/// `v1.2.3`, set with `-X` and so alone between two NULs.
const LINKED_V: Option<&str> = Some(r"(?-u)\x00v(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)[.\d]*)?)\x00");
/// The same with what distributions add: `v1.28.5+k3s1`.
const KUBERNETES: Option<&str> = Some(r"(?-u)\x00v(1\.\d+\.\d+(?:[-+][0-9A-Za-z.-]{1,40})?)\x00");
/// As [`LINKED_V`] without the letter.
const LINKED: Option<&str> = Some(r"(?-u)\x00(\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)[.\d]*)?)\x00");

const fn go(
    module: &'static str,
    pattern: Option<&'static str>,
    cpe: &'static [&'static str],
) -> GoProgram {
    GoProgram {
        module,
        pattern,
        cpe,
    }
}

pub(super) const GO_PROGRAMS: &[GoProgram] = &[
    go("k8s.io/kubernetes", KUBERNETES, &["kubernetes:kubernetes"]),
    go("go.etcd.io/etcd", None, &["etcd:etcd", "redhat:etcd"]),
    go(
        "github.com/containerd/containerd",
        LINKED_V,
        &["linuxfoundation:containerd"],
    ),
    go(
        "github.com/opencontainers/runc",
        LINKED,
        &["linuxfoundation:runc"],
    ),
    go(
        "github.com/docker/docker",
        LINKED,
        &["docker:docker", "mobyproject:moby"],
    ),
    go("github.com/docker/cli", LINKED, &["docker:docker"]),
    go(
        "github.com/moby/buildkit",
        LINKED_V,
        &["mobyproject:buildkit"],
    ),
    go(
        "github.com/containers/podman",
        None,
        &["podman_project:podman"],
    ),
    go("github.com/cri-o/cri-o", None, &["kubernetes:cri-o"]),
    go("github.com/coredns/coredns", None, &["coredns.io:coredns"]),
    go("github.com/cilium/cilium", None, &["cilium:cilium"]),
    go(
        "github.com/projectcalico/calico",
        LINKED_V,
        &["tigera:calico"],
    ),
    go("github.com/hashicorp/consul", LINKED, &["hashicorp:consul"]),
    go("github.com/hashicorp/vault", LINKED, &["hashicorp:vault"]),
    go("github.com/hashicorp/nomad", LINKED, &["hashicorp:nomad"]),
    go(
        "github.com/hashicorp/terraform",
        None,
        &["hashicorp:terraform"],
    ),
    go("github.com/traefik/traefik", LINKED, &["traefik:traefik"]),
    go("github.com/caddyserver/caddy", None, &["caddyserver:caddy"]),
    go("helm.sh/helm", LINKED_V, &["helm:helm"]),
    go(
        "github.com/prometheus/prometheus",
        LINKED,
        &["prometheus:prometheus"],
    ),
    go(
        "github.com/prometheus/alertmanager",
        LINKED,
        &["prometheus:alertmanager"],
    ),
    go("github.com/grafana/grafana", LINKED, &["grafana:grafana"]),
    go("github.com/grafana/loki", LINKED, &["grafana:loki"]),
    go("github.com/minio/minio", None, &["minio:minio"]),
    go(
        "github.com/nats-io/nats-server",
        None,
        &["nats:nats_server"],
    ),
    go(
        "github.com/influxdata/influxdb",
        LINKED,
        &["influxdata:influxdb"],
    ),
    go("github.com/argoproj/argo-cd", LINKED, &["argoproj:argo_cd"]),
    go("code.gitea.io/gitea", LINKED, &["gitea:gitea"]),
    go("istio.io/istio", LINKED, &["istio:istio"]),
    go("github.com/rclone/rclone", None, &["rclone:rclone"]),
    go("github.com/restic/restic", None, &["restic:restic"]),
];
