/**
 * What the commands share: the console, errors, option groups, prompts and texts. Each command has
 * a package of its own above this one, and {@code dev.flinfer.cli.main} lists them.
 */
package dev.flinfer.cli;
