/** The configuration and tensors of a Phi model. Of the engine it imports only {@code weights}. */
package dev.flinfer.engine.model;
