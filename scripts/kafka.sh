#!/usr/bin/env bash
# A real single-node Apache Kafka (KRaft) from Maven artifacts: no Docker, no tarball, nothing installed.
#
#   scripts/kafka.sh start    bring it up (does nothing if it is up) and print its bootstrap address
#   scripts/kafka.sh stop     shut it down in good order; the data stays
#   scripts/kafka.sh kill     kill -9, as a power cut would (for tests); the data stays
#   scripts/kafka.sh status   print the bootstrap address if it answers, fail if not
#   scripts/kafka.sh wipe     stop it and delete its data
#   scripts/kafka.sh tool CLASS ARGS...   run one of Kafka's own tools, e.g. org.apache.kafka.tools.TopicCommand
#
# Needs Java 17 or newer and Maven 3.6 or newer, which also verifies the artifacts' checksums.
# Environment: KAFKA_BOOTSTRAP (use that broker; start then only prints it), KAFKA_HOME (cache folder, default .cache/kafka),
# KAFKA_PORT (default: the port it had last, or a free one), KAFKA_SECURE=1 (a second listener, TLS + SASL, see below),
# KAFKA_DATA (its data, default data in the cache folder), KAFKA_PROXY_PORT (a third listener, three ports on, that is
# advertised as this port: for a proxy), KAFKA_HEAP (default 512m).
#
# KAFKA_SECURE=1 adds a SASL_SSL listener on the next port with SCRAM-SHA-512 and PLAIN, user "greenwave", password
# "greenwave-test", and a throw-away certificate authority in $KAFKA_DATA/tls/ca.pem. For tests only.
set -euo pipefail

version=4.3.1
scala=2.13
log4j=2.26.1
root=$(cd "$(dirname "$0")/.." && pwd)
home=${KAFKA_HOME:-$root/.cache/kafka}
libs=$home/libs-$version
data=${KAFKA_DATA:-$home/data}
heap=${KAFKA_HEAP:-512m}

say() { printf '%s\n' "$*" >&2; }
die() { say "kafka.sh: $*"; exit 1; }

fetch() {
  [ -f "$libs/.complete" ] && return
  command -v java >/dev/null || die "java is missing: install a JRE, version 17 or newer"
  command -v mvn >/dev/null || die "mvn is missing: install Maven, version 3.6 or newer"
  say "fetching Apache Kafka $version into $libs (once)"
  rm -rf "$libs" && mkdir -p "$libs"
  cat > "$libs/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>greenwave</groupId><artifactId>kafka-runtime</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
 <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_$scala</artifactId><version>$version</version></dependency>
 <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$version</version></dependency>
 <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$log4j</version></dependency>
 <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>$log4j</version></dependency>
</dependencies></project>
POM
  # -C: a checksum that does not match is an error, not a warning.
  mvn -q -B -C -f "$libs/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs" >&2
  [ -f "$libs/kafka_$scala-$version.jar" ] || die "Maven did not bring kafka_$scala-$version.jar"
  cat > "$libs/log4j2.properties" <<'LOG'
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1} %m%n
LOG
  touch "$libs/.complete"
}

jvm() { java -cp "$libs:$libs/*" "$@"; }

free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + RANDOM % 20000))
    # In a row: broker, TLS listener, controller, what a proxy leads to.
    if ! answers $port && ! answers $((port + 1)) && ! answers $((port + 2)) && ! answers $((port + 3)); then echo $port; return; fi
  done
  die "no free port between 20000 and 40000"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
port() { cat "$data/port" 2>/dev/null || true; }
pid() { cat "$data/pid" 2>/dev/null || true; }
alive() { [ -n "$(pid)" ] && kill -0 "$(pid)" 2>/dev/null && [ -n "$(port)" ] && answers "$(port)"; }

certificates() {
  local tls=$data/tls
  [ -f "$tls/server.p12" ] && return
  mkdir -p "$tls"
  keytool -genkeypair -alias ca -dname CN=greenwave-test-ca -ext bc:c -keyalg RSA -validity 3650 \
    -storetype PKCS12 -keystore "$tls/ca.p12" -storepass greenwave-test >&2
  keytool -exportcert -rfc -alias ca -keystore "$tls/ca.p12" -storepass greenwave-test > "$tls/ca.pem" 2>/dev/null
  keytool -genkeypair -alias broker -dname CN=localhost -keyalg RSA -validity 3650 \
    -storetype PKCS12 -keystore "$tls/server.p12" -storepass greenwave-test >&2
  keytool -certreq -alias broker -keystore "$tls/server.p12" -storepass greenwave-test 2>/dev/null |
    keytool -gencert -alias ca -rfc -ext san=dns:localhost,ip:127.0.0.1 -keystore "$tls/ca.p12" -storepass greenwave-test \
      > "$tls/broker.pem" 2>/dev/null
  cat "$tls/broker.pem" "$tls/ca.pem" > "$tls/chain.pem"
  keytool -importcert -noprompt -alias broker -file "$tls/chain.pem" -keystore "$tls/server.p12" -storepass greenwave-test >&2 2>/dev/null
}

configure() {
  local port=$1 listeners advertised
  listeners="PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 2))"
  advertised="PLAINTEXT://127.0.0.1:$port"
  if [ "${KAFKA_SECURE:-0}" = 1 ]; then
    certificates
    listeners="$listeners,SECURE://127.0.0.1:$((port + 1))"
    advertised="$advertised,SECURE://127.0.0.1:$((port + 1))"
  fi
  if [ -n "${KAFKA_PROXY_PORT:-}" ]; then
    listeners="$listeners,PROXIED://127.0.0.1:$((port + 3))"
    advertised="$advertised,PROXIED://127.0.0.1:$KAFKA_PROXY_PORT"
  fi
  cat > "$data/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 2))
listeners=$listeners
advertised.listeners=$advertised
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL,PROXIED:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$data/logs
auto.create.topics.enable=false
# One node: every internal topic has one replica.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A small machine.
num.network.threads=2
num.io.threads=4
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=16777216
log.segment.bytes=67108864
CONF
  [ "${KAFKA_SECURE:-0}" = 1 ] || return 0
  cat >> "$data/server.properties" <<CONF
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
ssl.keystore.type=PKCS12
ssl.keystore.location=$data/tls/server.p12
ssl.keystore.password=greenwave-test
ssl.key.password=greenwave-test
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_greenwave="greenwave-test";
CONF
}

start() {
  if [ -n "${KAFKA_BOOTSTRAP:-}" ]; then echo "$KAFKA_BOOTSTRAP"; return; fi
  if alive; then echo "127.0.0.1:$(port)"; return; fi
  fetch
  mkdir -p "$data"
  local p=${KAFKA_PORT:-$(port)}
  { [ -n "$p" ] && ! answers "$p"; } || p=$(free_port)
  echo "$p" > "$data/port"
  configure "$p"
  if [ ! -f "$data/logs/meta.properties" ]; then
    jvm kafka.tools.StorageTool format -t "$(jvm kafka.tools.StorageTool random-uuid)" -c "$data/server.properties" \
      --add-scram 'SCRAM-SHA-512=[name=greenwave,password=greenwave-test]' > "$data/format.log" 2>&1 ||
      { cat "$data/format.log" >&2; die "the storage could not be formatted"; }
  fi
  (
    # It outlives whoever starts it, and must not keep open what that one had: a lock, a pipe that somebody reads to its end.
    for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done
    exec setsid nohup java -Xms128m "-Xmx$heap" -XX:+UseSerialGC -cp "$libs:$libs/*" kafka.Kafka "$data/server.properties"
  ) >> "$data/broker.log" 2>&1 < /dev/null &
  echo $! > "$data/pid"
  for _ in $(seq 1800); do
    if answers "$p"; then echo "127.0.0.1:$p"; return; fi
    kill -0 "$(pid)" 2>/dev/null || { tail -n 20 "$data/broker.log" >&2; die "the broker ended while starting"; }
    sleep 0.1
  done
  tail -n 20 "$data/broker.log" >&2
  die "the broker did not listen on port $p within 180 s"
}

finish() {
  local signal=$1 id
  id=$(pid)
  [ -n "$id" ] || return 0
  kill "-$signal" "$id" 2>/dev/null || true
  for _ in $(seq 300); do kill -0 "$id" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$id" 2>/dev/null || true
  rm -f "$data/pid"
}

case ${1:-} in
  start) start ;;
  stop) finish TERM ;;
  kill) finish KILL ;;
  status) if alive; then echo "127.0.0.1:$(port)"; else say "not running"; exit 1; fi ;;
  wipe) finish TERM; rm -rf "$data" ;;
  tool) shift; fetch; jvm "$@" ;;
  -h | --help | help) sed -n '2,/^set -/p' "$0" | sed 's/^# \{0,1\}//; /^set -/d' ;;
  *) sed -n '2,/^set -/p' "$0" | sed 's/^# \{0,1\}//; /^set -/d' >&2; exit 2 ;;
esac
