import java.io.FileReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import javassist.ClassPool;
import javassist.CtClass;
import javassist.CtMethod;
import javassist.LoaderClassPath;
import javassist.Modifier;
import org.apache.pinot.broker.broker.helix.HelixBrokerStarter;
import org.apache.pinot.controller.ControllerStarter;
import org.apache.pinot.server.starter.helix.HelixServerStarter;
import org.apache.pinot.spi.env.PinotConfiguration;
import org.apache.pinot.spi.services.ServiceStartable;
import org.apache.zookeeper.server.ServerConfig;
import org.apache.zookeeper.server.ZooKeeperServerMain;
import org.apache.zookeeper.server.quorum.QuorumPeerConfig;

/**
 * ZooKeeper and Pinot's three roles in one process, or some of them, for development and tests.
 *
 * <p>The arguments are pairs of a role (zookeeper, controller, broker, server) and the file with its properties; the
 * roles start in that order. Everything runs until the process receives SIGTERM. With the system property
 * racecast.loopback nothing listens on any other address.
 */
public final class LocalPinot {
  private LocalPinot() {}

  public static void main(String[] args) throws Exception {
    ClassLoader loader = ClassLoader.getSystemClassLoader();
    ClassPool classes = new ClassPool();
    classes.appendClassPath(new LoaderClassPath(loader));
    if (System.getProperty("racecast.loopback") != null) {
      keepNettyOnLoopback(classes).toClass(loader, null);
    }
    readRowsOneAtATime(classes).toClass(loader, null);
    for (int i = 0; i < args.length; i += 2) {
      start(args[i], read(Path.of(args[i + 1])));
    }
  }

  private static void start(String role, Properties settings) throws Exception {
    switch (role) {
      case "zookeeper" -> startZooKeeper(settings);
      case "controller" -> start(new ControllerStarter(), settings);
      case "broker" -> start(new HelixBrokerStarter(), settings);
      case "server" -> start(new HelixServerStarter(), settings);
      default -> throw new IllegalArgumentException("no role of Pinot: " + role);
    }
  }

  /**
   * The server's query port has no setting for its address and would listen on every interface. So a bind without
   * an address becomes a bind to 127.0.0.1, before the class is loaded.
   */
  private static CtClass keepNettyOnLoopback(ClassPool classes) throws Exception {
    CtClass bootstrap = classes.get("io.netty.bootstrap.AbstractBootstrap");
    bootstrap
        .getMethod("bind", "(I)Lio/netty/channel/ChannelFuture;")
        .setBody("return bind(\"127.0.0.1\", $1);");
    return bootstrap;
  }

  /**
   * Loading a segment of a dimension table reads the rows of all others concurrently, and Pinot 0.11 shares a reader
   * before it is ready. A failed segment is unmapped while still in use, and the next read crashes the process. So
   * reads are serialized.
   */
  private static CtClass readRowsOneAtATime(ClassPool classes) throws Exception {
    CtClass segment =
        classes.get("org.apache.pinot.segment.local.indexsegment.immutable.ImmutableSegmentImpl");
    CtMethod read = segment.getDeclaredMethod("getRecord");
    read.setModifiers(read.getModifiers() | Modifier.SYNCHRONIZED);
    return segment;
  }

  /** ZooKeeper's main method blocks, so it gets a thread of its own. */
  private static void startZooKeeper(Properties properties) throws Exception {
    QuorumPeerConfig parsed = new QuorumPeerConfig();
    parsed.parseProperties(properties);
    ServerConfig config = new ServerConfig();
    config.readFrom(parsed);
    Thread thread = new Thread(() -> runZooKeeper(config), "zookeeper");
    thread.setDaemon(true);
    thread.start();
  }

  private static void runZooKeeper(ServerConfig config) {
    try {
      new ZooKeeperServerMain().runFromConfig(config);
    } catch (Exception e) {
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static void start(ServiceStartable role, Properties settings) throws Exception {
    Map<String, Object> named = new HashMap<>();
    settings.forEach((name, value) -> named.put((String) name, value));
    role.init(new PinotConfiguration(named));
    // Registered before the start: a server that exits without stop() cannot rejoin until its session expires half a
    // minute later.
    Runtime.getRuntime().addShutdownHook(new Thread(role::stop));
    role.start();
    System.out.println(role.getServiceRole() + " started");
  }

  /** Reads the properties of a file and, as Pinot's own command line does, of the file that it includes. */
  private static Properties read(Path file) throws IOException {
    Properties properties = new Properties();
    try (FileReader reader = new FileReader(file.toFile())) {
      properties.load(reader);
    }
    Object include = properties.remove("include");
    if (include == null) {
      return properties;
    }
    Properties all = read(file.resolveSibling((String) include));
    all.putAll(properties);
    return all;
  }
}
