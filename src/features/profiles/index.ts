export { isMpid, IsMpid, MpidParam } from './mpid.js';
export { normalisedIdentity, ProfileLookup, type LookupWorkspace } from './profile-lookup.js';
export { ProfilesModule } from './profiles.module.js';
export { shownValue } from './shown-identities.js';
