//! Groups of well-known artifacts whose archives do not name them.

/// Artifact (`*` at the end for any) and group, the longer beginnings first.
const KNOWN: &[(&str, &str)] = &[
    ("spring-boot*", "org.springframework.boot"),
    ("spring-security-*", "org.springframework.security"),
    ("spring-data-*", "org.springframework.data"),
    ("spring-cloud-*", "org.springframework.cloud"),
    ("spring-ws-*", "org.springframework.ws"),
    ("spring-session-*", "org.springframework.session"),
    ("spring-kafka", "org.springframework.kafka"),
    ("spring-amqp", "org.springframework.amqp"),
    ("spring-rabbit", "org.springframework.amqp"),
    ("spring-batch-*", "org.springframework.batch"),
    ("spring-integration-*", "org.springframework.integration"),
    ("spring-*", "org.springframework"),
    ("tomcat-embed-*", "org.apache.tomcat.embed"),
    ("tomcat-*", "org.apache.tomcat"),
    ("catalina", "org.apache.tomcat"),
    ("log4j-*", "org.apache.logging.log4j"),
    ("log4j", "log4j"),
    ("hibernate-core", "org.hibernate"),
    ("snakeyaml", "org.yaml"),
    ("guava", "com.google.guava"),
    ("gson", "com.google.code.gson"),
    ("protobuf-java*", "com.google.protobuf"),
    ("postgresql", "org.postgresql"),
    ("mysql-connector-j", "com.mysql"),
    ("mysql-connector-java", "mysql"),
    ("mssql-jdbc", "com.microsoft.sqlserver"),
    ("h2", "com.h2database"),
    ("kotlin-*", "org.jetbrains.kotlin"),
    ("scala-library", "org.scala-lang"),
    ("groovy*", "org.codehaus.groovy"),
    ("gradle-*", "org.gradle"),
    ("okhttp", "com.squareup.okhttp3"),
    ("okio", "com.squareup.okio"),
    ("zookeeper", "org.apache.zookeeper"),
    ("kafka-clients", "org.apache.kafka"),
    ("kafka_*", "org.apache.kafka"),
    ("elasticsearch", "org.elasticsearch"),
    ("lucene-*", "org.apache.lucene"),
    ("slf4j-*", "org.slf4j"),
    ("netty-*", "io.netty"),
    ("bcprov-*", "org.bouncycastle"),
    ("bcpkix-*", "org.bouncycastle"),
    ("ant", "org.apache.ant"),
    ("commons-lang3", "org.apache.commons"),
    ("commons-text", "org.apache.commons"),
    ("commons-compress", "org.apache.commons"),
    ("commons-collections4", "org.apache.commons"),
    ("commons-configuration2", "org.apache.commons"),
    ("commons-collections", "commons-collections"),
    ("commons-fileupload", "commons-fileupload"),
    ("commons-beanutils", "commons-beanutils"),
    ("commons-codec", "commons-codec"),
    ("commons-io", "commons-io"),
    ("commons-lang", "commons-lang"),
    ("commons-logging", "commons-logging"),
    ("commons-cli", "commons-cli"),
    ("xstream", "com.thoughtworks.xstream"),
    ("jetty-*", "org.eclipse.jetty"),
    ("dom4j", "org.dom4j"),
    ("fastjson", "com.alibaba"),
    ("shiro-*", "org.apache.shiro"),
    ("struts2-*", "org.apache.struts"),
    ("velocity", "org.apache.velocity"),
    ("xalan", "xalan"),
    ("xercesImpl", "xerces"),
    ("junit", "junit"),
];

/// The group of a well-known artifact.
pub(super) fn group_of(artifact: &str) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|(known, _)| match known.strip_suffix('*') {
            Some(beginning) => artifact.starts_with(beginning),
            None => artifact == *known,
        })
        .map(|(_, group)| *group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_exact_row_wins() {
        assert_eq!(group_of("spring-boot"), Some("org.springframework.boot"));
        assert_eq!(group_of("spring-core"), Some("org.springframework"));
        assert_eq!(group_of("log4j"), Some("log4j"));
        assert_eq!(group_of("log4j-core"), Some("org.apache.logging.log4j"));
        assert_eq!(group_of("unknown"), None);
    }
}
