/** The entry point, which knows every command and is known by none. */
package dev.flinfer.cli.main;
