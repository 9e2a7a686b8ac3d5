package dev.flinfer.assembly;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules for the dependencies between modules and packages. */
final class ArchitectureTest {
  private static JavaClasses classes;

  @BeforeAll
  static void readClasses() {
    ImportOption noTests =
        location -> !location.contains("/test-classes/") && !location.contains("-tests.jar");
    classes = new ClassFileImporter().withImportOption(noTests).importPackages("dev.flinfer");
  }

  /** A rule over no classes always holds, so the classes must exist. */
  @ParameterizedTest
  @ValueSource(strings = {"schema", "engine", "tornado", "flink", "jobs", "cli"})
  void theClassesOfAModuleAreRead(String module) {
    assumeTrue(!module.equals("tornado") || Boolean.getBoolean("flinfer.tornado"), "no SDK");
    assertThat(classes.stream().filter(c -> c.getPackageName().startsWith("dev.flinfer." + module)))
        .hasSizeGreaterThan(5);
  }

  @ParameterizedTest
  @CsvSource({
    "schema, engine",
    "schema, tornado",
    "schema, flink",
    "schema, jobs",
    "schema, cli",
    "engine, tornado",
    "engine, flink",
    "engine, jobs",
    "engine, cli",
    "tornado, flink",
    "tornado, jobs",
    "tornado, cli",
    "flink, tornado",
    "flink, jobs",
    "flink, cli",
    "jobs, tornado",
    "jobs, cli",
    "cli, tornado",
  })
  void aModuleDoesNotDependOnTheModulesAbove(String module, String above) {
    noClasses()
        .that()
        .resideInAPackage("dev.flinfer." + module + "..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.flinfer." + above + "..")
        .allowEmptyShould(true) // tornado is built only with its SDK
        .check(classes);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "org.apache.flink.. | dev.flinfer.flink.. dev.flinfer.jobs.. dev.flinfer.cli..",
        "uk.ac.manchester.tornado.. | dev.flinfer.tornado..",
        "jdk.incubator.vector.. | dev.flinfer.engine.cpu..",
        "picocli.. | dev.flinfer.cli..",
        "kafka.. | dev.flinfer.cli.local..",
        "org.apache.flink.runtime.minicluster.. | dev.flinfer.cli.local..",
      })
  void onlyItsPackagesImportALibrary(String library, String packages) {
    noClasses()
        .that()
        .resideOutsideOfPackages(packages.split(" "))
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library)
        .check(classes);
  }

  @Test
  void onlyTheJobsAndTheCommandLineImportKafkaAndTheSchemasImportItsSerializers() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.flinfer.jobs..", "dev.flinfer.cli..")
        .should()
        .dependOnClassesThat(
            DescribedPredicate.describe(
                "are Kafka's, except its serializers",
                type ->
                    inPackage(type, "org.apache.kafka")
                        && !inPackage(type, "org.apache.kafka.common.serialization")))
        .check(classes);
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.flinfer.jobs..", "dev.flinfer.cli..", "dev.flinfer.schema..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.kafka..")
        .check(classes);
  }

  private static boolean inPackage(JavaClass type, String name) {
    return (type.getPackageName() + ".").startsWith(name + ".");
  }

  /** Each package is a separate slice, without exception. */
  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.flinfer.(**)").should().beFreeOfCycles().check(classes);
  }

  /** Everything is configured through options; only the command line sees the JVM it runs in. */
  @Test
  void onlyTheCommandLineReadsSystemProperties() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.flinfer.cli..")
        .should()
        .callMethodWhere(
            DescribedPredicate.describe(
                "it reads a system property",
                call -> {
                  String target = call.getTargetOwner().getName() + "." + call.getName();
                  return target.equals("java.lang.System.getProperty")
                      || target.equals("java.lang.System.getProperties")
                      || target.equals("java.lang.Boolean.getBoolean")
                      || target.equals("java.lang.Integer.getInteger")
                      || target.equals("java.lang.Long.getLong");
                }))
        .check(classes);
  }
}
