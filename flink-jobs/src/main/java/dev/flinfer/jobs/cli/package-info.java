/**
 * The command line: quickstart, run, produce, consume, generate, tokenize.
 *
 * <p>{@link dev.flinfer.jobs.cli.Flinfer} is the way in; a command a class. Decisions (parsing,
 * formatting, counting) are pure classes beside them.
 */
package dev.flinfer.jobs.cli;
