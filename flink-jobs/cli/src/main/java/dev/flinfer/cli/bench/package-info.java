/** The command that measures the engine, and compares the whole pipeline with it. */
package dev.flinfer.cli.bench;
