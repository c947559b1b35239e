/** A field that a column of an uploaded file can be mapped to, as IQM lists it. */
export interface SystemColumn {
  id: number;
  name: string;
  l2Name: string;
}

/** IQM's answer to "request column list", word for word. */
export const COLUMN_LIST: Readonly<Record<string, readonly SystemColumn[]>> = {
  mandatoryColumns: [
    { id: 2, name: 'First Name', l2Name: 'Voters_FirstName' },
    { id: 3, name: 'Last Name', l2Name: 'Voters_LastName' },
    { id: 4, name: 'State', l2Name: 'Residence_Addresses_State' },
    { id: 6, name: 'Zip', l2Name: 'Residence_Addresses_Zip' },
  ],
  voterIDColumns: [{ id: 1, name: 'Voter ID', l2Name: 'LalVoterID' }],
  optionalColumns: [
    { id: 5, name: 'Address', l2Name: 'Residence_Addresses_AddressLine' },
    { id: 7, name: 'Full Name', l2Name: 'Voters_FullName' },
    { id: 8, name: 'City', l2Name: 'Residence_Addresses_City' },
    { id: 9, name: 'ZipPlus4', l2Name: 'Residence_Addresses_ZipPlus4' },
    { id: 10, name: 'Age', l2Name: 'Voters_Age' },
    { id: 11, name: 'Gender', l2Name: 'Voters_Gender' },
    { id: 12, name: 'Ethnicity', l2Name: 'Ethnic_Description' },
    { id: 13, name: 'Cellphone', l2Name: 'VoterTelephones_CellphoneUnformatted' },
    { id: 14, name: 'Landline', l2Name: 'VoterTelephones_LandlineUnformatted' },
    { id: 15, name: 'Latitude', l2Name: 'Residence_Addresses_Latitude' },
    { id: 16, name: 'Longitude', l2Name: 'Residence_Addresses_Longitude' },
  ],
};
