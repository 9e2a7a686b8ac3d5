/**
 * Shared by the commands: the console, errors, option groups, prompts and text formatting. The
 * commands are in packages that depend on this one, and {@code dev.flinfer.cli.main} lists them.
 */
package dev.flinfer.cli;
