/** The command that disturbs the job for a while and accounts for every record. */
package dev.flinfer.cli.soak;
