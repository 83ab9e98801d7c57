# The reference image of `cargo xtask bench scan`: about 1.3 GB of ordinary server software.
FROM seawall-test/debian:12
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends nginx \
 && rm -rf /var/lib/apt/lists/*
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes \
    nodejs npm python3-django openjdk-17-jre-headless maven postgresql-15 \
 && rm -rf /var/lib/apt/lists/*
COPY debian.Dockerfile /usr/share/doc/reference-image/
CMD ["nginx", "-g", "daemon off;"]
