# The reference image of 300,000 small files: 3,000 packages of 100 files each.
FROM seawall-test/debian:12
RUN set -eu; \
    for i in $(seq 3000); do \
      dir=/app/node_modules/package-$i; mkdir -p $dir; \
      echo "{\"name\":\"package-$i\",\"version\":\"1.0.$i\",\"license\":\"MIT\"}" > $dir/package.json; \
    done; \
    for i in $(seq 3000); do \
      cd /app/node_modules/package-$i; \
      seq 99 | sed "s/.*/module.exports = $i.&;/" | split --lines=1 --suffix-length=2 --numeric-suffixes --additional-suffix=.js - file-; \
    done
