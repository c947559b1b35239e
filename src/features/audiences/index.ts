export { AudienceRecords, type Audience, type AudienceInWorkspace } from './audience-records.js';
export { AudiencesModule } from './audiences.module.js';
export { AudienceCleanUp } from './deletion/audience-clean-up.js';
