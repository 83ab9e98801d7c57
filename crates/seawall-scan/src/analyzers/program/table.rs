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
/// Hosts are containers, named by twelve hexadecimal digits, or docker's sandbox, and Debian leaves
/// them out; another string has the version before the name of the atomics used. The time has 19
/// digits: seconds since 1970, and nanoseconds.
const REDIS_BUILD: &str = r"(?-u)[^\d.](\d+\.\d+\.\d+)(?:\x00c11-builtin|(?:buildkitsandbox|[0-9a-f]{12})-\d{10,19}\x00|1\d{18}\x00)";

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
    row(
        "deno",
        &["deno"],
        r"[^-]Deno/(\d+\.\d+\.\d+)",
        &["deno:deno"],
    ),
    row(
        "php",
        &[
            "php",
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
        &["lua", "lua5*", "luac*", "liblua5*.so*"],
        r"\$Lua(?:Version)?: Lua (5\.\d+\.\d+)",
        &["lua:lua"],
    ),
    row(
        "luajit",
        &["luajit*", "libluajit*.so*"],
        r"(?-u)\x00LuaJIT (2\.\d+\.[0-9a-z.-]{1,20})\x00",
        &["luajit:luajit"],
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
        "libarchive",
        &["libarchive.so*", "bsdtar"],
        r"(?-u)\x00libarchive (\d+\.\d+\.\d+)\x00",
        &["libarchive:libarchive"],
    ),
    row(
        "expat",
        &["libexpat.so*", "libexpatw.so*"],
        r"(?-u)\x00expat_(\d+\.\d+\.\d+)\x00",
        &["libexpat_project:libexpat"],
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
    row(
        "openvpn",
        &["openvpn"],
        r"(?-u)\x00OpenVPN (\d+\.\d+(?:\.\d+)?(?:_[a-z]+\d+)?) ",
        &["openvpn:openvpn"],
    ),
    row(
        "rsync",
        &["rsync"],
        r"(?-u)\x00(3\.\d+\.\d+)\x00",
        &["samba:rsync"],
    ),
    row(
        "gnutls",
        &["libgnutls.so*"],
        r"Enabled GnuTLS (\d+\.\d+\.\d+) logging",
        &["gnu:gnutls"],
    ),
    row(
        "wolfssl",
        &["libwolfssl.so*"],
        r"(?-u)\x00wolfSSL (\d+\.\d+\.\d+)\x00",
        &["wolfssl:wolfssl"],
    ),
    row(
        "libgcrypt",
        &["libgcrypt.so*"],
        r"This is Libgcrypt (\d+\.\d+\.\d+)",
        &["gnupg:libgcrypt"],
    ),
    row(
        "libssh",
        &["libssh.so*"],
        r"SSH-2\.0-libssh_(\d+\.\d+\.\d+)",
        &["libssh:libssh"],
    ),
    row(
        "libssh2",
        &["libssh2.so*"],
        r"SSH-2\.0-libssh2_(\d+\.\d+\.\d+)",
        &["libssh2:libssh2"],
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
        &[
            "redis-server",
            "redis-check-*",
            "redis-cli",
            "redis-benchmark",
        ],
        REDIS_BUILD,
        &["redis:redis", "redislabs:redis"],
    ),
    row(
        "valkey",
        &[
            "valkey-server",
            "valkey-check-*",
            "valkey-cli",
            "valkey-benchmark",
        ],
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
    row(
        "mosquitto",
        &["mosquitto"],
        r"(?-u)\x00(\d+\.\d+\.\d+)\x00+mosquitto version",
        &["eclipse:mosquitto"],
    ),
    row(
        "samba",
        &["smbd", "nmbd", "winbindd"],
        r"(?-u)\x00SAMBA_(\d+\.\d+\.\d+)",
        &["samba:samba"],
    ),
    row(
        "rsyslog",
        &["rsyslogd"],
        r"swVersion=\x22(\d+\.\d+\.\d+)\x22",
        &["rsyslog:rsyslog"],
    ),
    row(
        "syslog-ng",
        &["syslog-ng"],
        r"syslog-ng \d+ \((\d+\.\d+\.\d+)\)",
        &["oneidentity:syslog-ng"],
    ),
    row(
        "cups",
        &["cupsd"],
        r"CUPS v(\d+\.\d+\.\d+)",
        &["openprinting:cups", "apple:cups"],
    ),
    row(
        "freeradius",
        &["freeradius", "radiusd"],
        r"FreeRADIUS Version (\d+\.\d+\.\d+)",
        &["freeradius:freeradius"],
    ),
    row(
        "coturn",
        &["turnserver"],
        r"Coturn-(\d+\.\d+\.\d+(?:\.\d+)?)",
        &["coturn_project:coturn"],
    ),
    row(
        "nsd",
        &["nsd"],
        r"(?-u)\x00NSD (\d+\.\d+\.\d+)\x00",
        &["nlnetlabs:name_server_daemon"],
    ),
    row(
        "crun",
        &["crun"],
        r"(?-u)\x00(\d+\.\d+(?:\.\d+)?)\x00%s version %s\n\x00commit: ",
        &["crun_project:crun"],
    ),
    // Media
    row(
        "ffmpeg",
        &["ffmpeg", "ffmpeg-*", "ffprobe", "libavcodec.so*"],
        r"(?:%s|FFmpeg) version n?(\d+\.\d+(?:\.\d+)?)",
        &["ffmpeg:ffmpeg"],
    ),
    row(
        "imagemagick",
        &["libMagickCore*.so*", "magick"],
        r"ImageMagick (\d+\.\d+\.\d+-\d+)",
        &["imagemagick:imagemagick"],
    ),
    row(
        "libpng",
        &["libpng*.so*"],
        r"libpng version (\d+\.\d+\.\d+)",
        &["libpng:libpng"],
    ),
    row(
        "libtiff",
        &["libtiff.so*"],
        r"LIBTIFF, Version (\d+\.\d+\.\d+)",
        &["libtiff:libtiff"],
    ),
    row(
        "libjpeg-turbo",
        &["libjpeg.so*", "libturbojpeg.so*"],
        r"libjpeg-turbo version (\d+\.\d+\.\d+)",
        &["libjpeg-turbo:libjpeg-turbo"],
    ),
];

/// A version alone between two NULs: `v1.2.3`, `1.28.5+k3s1`, `1.6.20~ds1`. What begins with a digit
/// after a hyphen is the revision of a distribution's package.
pub(super) const LINKED_VERSION: &str = r"(?-u)\x00v?(\d+\.\d+\.\d+(?:-[A-Za-z][0-9A-Za-z.-]{0,40})?(?:\+[0-9A-Za-z.-]{1,40})?)(?:~[0-9A-Za-z.+~-]{1,40})?\x00";

const fn go(module: &'static str, cpe: &'static [&'static str]) -> GoProgram {
    GoProgram {
        module,
        released_with: None,
        pattern: None,
        cpe,
    }
}

pub(super) const GO_PROGRAMS: &[GoProgram] = &[
    go("k8s.io/kubernetes", &["kubernetes:kubernetes"]),
    GoProgram {
        released_with: Some("go.etcd.io/etcd/api/v3"),
        ..go("go.etcd.io/etcd", &["etcd:etcd", "redhat:etcd"])
    },
    go(
        "github.com/containerd/containerd",
        &["linuxfoundation:containerd"],
    ),
    go("github.com/opencontainers/runc", &["linuxfoundation:runc"]),
    go(
        "github.com/docker/docker",
        &["docker:docker", "mobyproject:moby"],
    ),
    go("github.com/docker/cli", &["docker:docker"]),
    go("github.com/docker/distribution", &["docker:registry"]),
    go(
        "github.com/distribution/distribution",
        &["distribution:distribution"],
    ),
    go("github.com/moby/buildkit", &["mobyproject:buildkit"]),
    go("github.com/containers/podman", &["podman_project:podman"]),
    go("github.com/cri-o/cri-o", &["kubernetes:cri-o"]),
    go("github.com/coredns/coredns", &["coredns.io:coredns"]),
    go("github.com/cilium/cilium", &["cilium:cilium"]),
    go("github.com/projectcalico/calico", &["tigera:calico"]),
    GoProgram {
        // The page of its web interface states it.
        pattern: Some(r"CONSUL_VERSION: (\d+\.\d+\.\d+)"),
        ..go("github.com/hashicorp/consul", &["hashicorp:consul"])
    },
    go("github.com/hashicorp/vault", &["hashicorp:vault"]),
    go("github.com/hashicorp/nomad", &["hashicorp:nomad"]),
    go("github.com/hashicorp/terraform", &["hashicorp:terraform"]),
    go("github.com/traefik/traefik", &["traefik:traefik"]),
    go("github.com/caddyserver/caddy", &["caddyserver:caddy"]),
    go("helm.sh/helm", &["helm:helm"]),
    go(
        "github.com/prometheus/prometheus",
        &["prometheus:prometheus"],
    ),
    go(
        "github.com/prometheus/alertmanager",
        &["prometheus:alertmanager"],
    ),
    go("github.com/grafana/grafana", &["grafana:grafana"]),
    go("github.com/grafana/loki", &["grafana:loki"]),
    go("github.com/minio/minio", &["minio:minio"]),
    go("github.com/nats-io/nats-server", &["nats:nats_server"]),
    go("github.com/influxdata/influxdb", &["influxdata:influxdb"]),
    go("github.com/argoproj/argo-cd", &["argoproj:argo_cd"]),
    go("github.com/cli/cli", &["github:cli"]),
    go("code.gitea.io/gitea", &["gitea:gitea"]),
    go("istio.io/istio", &["istio:istio"]),
    go("github.com/rclone/rclone", &["rclone:rclone"]),
    go("github.com/restic/restic", &["restic:restic"]),
];
