/** The entry point, which depends on every command; no package depends on it. */
package dev.flinfer.cli.main;
