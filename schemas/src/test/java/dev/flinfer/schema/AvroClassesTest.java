package dev.flinfer.schema;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.avro.util.ClassSecurityValidator;
import org.apache.avro.util.ClassUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Generated classes load although Avro has an allow-list, whoever touches which of them first. Each
 * case has a class loader of its own with a fresh Avro in it, as a new JVM would have.
 */
class AvroClassesTest {
  @ParameterizedTest
  @MethodSource("generated")
  void aGeneratedClassMayBeTheFirstThatIsTouched(Class<?> type) throws Exception {
    try (URLClassLoader fresh = freshClassPath()) {
      Class<?> loaded = Class.forName(type.getName(), true, fresh);

      assertThat(loaded).isNotSameAs(type);
      assertThat(loaded.getMethod("getClassSchema").invoke(null)).hasToString(schema(type));
    }
  }

  @ParameterizedTest
  @MethodSource("generated")
  void onceOneIsTouchedAvroLoadsAllOfThem(Class<?> first) throws Exception {
    try (URLClassLoader fresh = freshClassPath()) {
      Method forName =
          fresh
              .loadClass(ClassUtils.class.getName())
              .getMethod("forName", ClassLoader.class, String.class);
      Class.forName(first.getName(), true, fresh);

      for (Class<?> type : AvroClasses.GENERATED) {
        assertThat(forName.invoke(null, fresh, type.getName()))
            .isSameAs(fresh.loadClass(type.getName()));
      }
    }
  }

  @Test
  void nothingElseBecomesTrusted() {
    AvroClasses.trust();

    assertThat(ClassSecurityValidator.getGlobal().isTrusted(CompletionRequest.class)).isTrue();
    assertThat(ClassSecurityValidator.getGlobal().isTrusted(File.class)).isFalse();
    assertThat(ClassSecurityValidator.getGlobal().isTrusted(AvroClassesTest.class)).isFalse();
  }

  @Test
  void whatWasTrustedStaysTrustedAndAskingTwiceChangesNothing() {
    ClassSecurityValidator.ClassSecurityPredicate before = ClassSecurityValidator.getGlobal();
    try {
      ClassSecurityValidator.setGlobal(type -> type == File.class);
      AvroClasses.trust();
      ClassSecurityValidator.ClassSecurityPredicate ours = ClassSecurityValidator.getGlobal();
      AvroClasses.trust();

      assertThat(ours.isTrusted(File.class)).isTrue();
      assertThat(ours.isTrusted(Completion.class)).isTrue();
      assertThat(ClassSecurityValidator.getGlobal()).isSameAs(ours);
    } finally {
      ClassSecurityValidator.setGlobal(before);
    }
  }

  static List<Class<?>> generated() {
    return AvroClasses.GENERATED;
  }

  private static String schema(Class<?> type) throws ReflectiveOperationException {
    return type.getMethod("getClassSchema").invoke(null).toString();
  }

  private static URLClassLoader freshClassPath() throws MalformedURLException {
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      urls.add(Path.of(entry).toUri().toURL());
    }
    return new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
  }
}
