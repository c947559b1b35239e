export {
  ContextFactory,
  type ConfiguredConnector,
  type ContextParts,
  type ReadyInput,
  type ReadyOutput,
} from './context-factory.js';
export { assertWithinReach, type Reach } from './reach.js';
