/** The command that measures the engine, and the whole pipeline beside it. */
package dev.flinfer.cli.bench;
