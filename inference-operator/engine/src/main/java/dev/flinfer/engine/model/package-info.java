/** What a Phi model is: its configuration and its tensors. Imports of the engine only weights. */
package dev.flinfer.engine.model;
