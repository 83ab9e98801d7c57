//! Groups of well-known artifacts whose archives do not name them.

/// Artifact (`*` at the end for any) and group, the longer beginnings first; group and artifact
/// where the archive is shipped under another name than it is published under.
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
    ("catalina", "org.apache.tomcat:tomcat-catalina"),
    ("catalina-ha", "org.apache.tomcat:tomcat-catalina-ha"),
    ("catalina-tribes", "org.apache.tomcat:tomcat-tribes"),
    ("jasper", "org.apache.tomcat:tomcat-jasper"),
    ("log4j-*", "org.apache.logging.log4j"),
    ("log4j", "log4j"),
    ("hibernate-core", "org.hibernate"),
    ("snakeyaml", "org.yaml"),
    ("guava", "com.google.guava"),
    ("gson", "com.google.code.gson"),
    ("guice", "com.google.inject"),
    ("guice-*", "com.google.inject.extensions"),
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
    ("asm", "org.ow2.asm"),
    ("asm-*", "org.ow2.asm"),
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

/// Group and artifact of a well-known artifact, where the whole of its name is in the table.
pub(super) fn coordinates_of(artifact: &str) -> Option<String> {
    let (_, group) = KNOWN.iter().find(|(known, _)| *known == artifact)?;
    Some(match group.contains(':') {
        true => (*group).to_owned(),
        false => format!("{group}:{artifact}"),
    })
}

/// The group of the artifacts whose names begin like this one.
pub(super) fn group_of(artifact: &str) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|(known, _)| {
            known
                .strip_suffix('*')
                .is_some_and(|beginning| artifact.starts_with(beginning))
        })
        .map(|(_, group)| *group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_exact_row_wins() {
        for (artifact, exact, group) in [
            ("spring-boot", None, Some("org.springframework.boot")),
            ("spring-core", None, Some("org.springframework")),
            ("log4j", Some("log4j:log4j"), None),
            ("log4j-core", None, Some("org.apache.logging.log4j")),
            ("catalina", Some("org.apache.tomcat:tomcat-catalina"), None),
            ("unknown", None, None),
        ] {
            assert_eq!(coordinates_of(artifact).as_deref(), exact, "{artifact}");
            assert_eq!(group_of(artifact), group, "{artifact}");
        }
    }
}
